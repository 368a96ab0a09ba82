# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file is read for an environment, and what a person is told where it can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.action.environment_file import read, read_shared
from ansible_collections.immutable.ec2.plugins.module_utils.environment.schema import WrongSettings


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "all.yml").write_text("---\napp: shop\n")
    (folder / "staging.yml").write_text("---\ncapacity: {min: 1}\n")
    (folder / "prod.yml").write_text("")
    return tmp_path


def message(directory: Path, env: str) -> str:
    with pytest.raises(WrongSettings) as error:
        read(directory, env, {})
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_shared_file_and_the_own_file_are_read(ops: Path) -> None:
    found, files = read(ops, "staging", {"image": "one"})
    assert files == ["environments/all.yml", "environments/staging.yml"]
    assert (found["app"], found["capacity"], found["image"]) == ("shop", {"min": 1, "max": 4}, "one")


def test_an_empty_file_is_an_environment_of_defaults(ops: Path) -> None:
    assert read(ops, "prod", {})[0]["capacity"] == {"min": 2, "max": 4}


def test_the_shared_file_may_be_absent(ops: Path) -> None:
    (ops / "environments/all.yml").unlink()
    assert message(ops, "staging") == "environments/staging.yml: app is missing"


def test_no_environment_given(ops: Path) -> None:
    assert message(ops, "") == "no environment was given, add -e env=<name> (there are: prod, staging)"


@pytest.mark.parametrize("env", ["stagin", "all", "../environments/staging", "Staging"])
def test_an_unknown_environment_is_refused_and_the_known_ones_are_named(ops: Path, env: str) -> None:
    expected = f'there is no environment "{env}" in {ops}/environments (there are: prod, staging)'
    assert message(ops, env) == expected


def test_a_folder_without_environments(tmp_path: Path) -> None:
    assert message(tmp_path, "staging").startswith(f"there is no folder environments/ in {tmp_path}: change to the ops")


def test_an_ops_repo_without_any_environment(ops: Path) -> None:
    for name in ("prod", "staging"):
        (ops / f"environments/{name}.yml").unlink()
    assert "there is none yet, add environments/<env>.yml" in message(ops, "prod")


def test_a_file_whose_name_cannot_name_an_environment(ops: Path) -> None:
    (ops / "environments/Live_1.yml").write_text("")
    assert message(ops, "Live_1").startswith('environments/Live_1.yml: "Live_1" can\'t name an environment')


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("app: [", "environments/staging.yml is not valid YAML: "),
        ("image: one\nimage: two\n", "image is there twice"),
        ("capacity: {min: 1, min: 2}\n", "min is there twice"),
        ("app: 2026-13-45\n", "environments/staging.yml is not valid YAML: "),
        ("app: !vault secret\n", "could not determine a constructor for the tag '!vault'"),
        ("app: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        ("- app\n", "environments/staging.yml is not a mapping of keys to values"),
        ("? [a]\n: b\n", "environments/staging.yml is not valid YAML: "),
    ],
)
def test_a_file_that_is_no_environment(ops: Path, content: str, expected: str) -> None:
    (ops / "environments/staging.yml").write_text(content)
    assert expected in message(ops, "staging")


def test_a_file_that_is_not_text(ops: Path) -> None:
    (ops / "environments/staging.yml").write_bytes(b"\xff\xfe\x00")
    assert message(ops, "staging").startswith("environments/staging.yml can't be read: ")


def test_what_all_environments_have_in_common_is_read_alone(ops: Path) -> None:
    (ops / "environments/staging.yml").write_text("no: key\n")
    found, files = read_shared(ops, {"pipeline": {"keep_builds": 7}})
    assert (found["app"], found["pipeline"]["keep_builds"]) == ("shop", 7)
    assert files == ["environments/all.yml"]


def test_it_may_be_absent_where_the_rest_is_given(tmp_path: Path) -> None:
    assert read_shared(tmp_path, {"app": "shop"})[1] == []
    with pytest.raises(WrongSettings, match=r"^environments/all\.yml: app is missing$"):
        read_shared(tmp_path, {})
