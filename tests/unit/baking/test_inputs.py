# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs' hash: what makes another image changes it, what doesn't does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.baking.inputs import hash_all, hash_path

EXCLUDE = [".git", "/log", "/log/*", "*.key"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "bin").mkdir(parents=True)
    (folder / "log").mkdir()
    (folder / "Gemfile").write_text("source")
    (folder / "bin" / "rails").write_text("#!ruby")
    (folder / "link").symlink_to("Gemfile")
    return folder


def turn(file: Path, text: str = "other") -> Callable[[Path], None]:
    def change(app: Path) -> None:
        (app / file).parent.mkdir(parents=True, exist_ok=True)
        (app / file).write_text(text)

    return change


def relink(app: Path) -> None:
    (app / "link").unlink()
    (app / "link").symlink_to("bin/rails")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file's content": turn(Path("Gemfile")),
    "a new file": turn(Path("app/models/a.rb")),
    "a file's name": lambda app: (app / "Gemfile").rename(app / "gems.rb"),
    "a file that can be run": lambda app: (app / "bin" / "rails").chmod(0o755),
    "an empty folder": lambda app: (app / "tmp").mkdir(),
    "where a link leads": relink,
}
SAME: dict[str, Callable[[Path], object]] = {
    "when it was written": lambda app: os.utime(app / "Gemfile", (0, 0)),
    "who may read it": lambda app: (app / "Gemfile").chmod(0o600),
    "what is excluded by its path": turn(Path("log/production.log")),
    "what is excluded by its name": turn(Path("production.key")),
    "what lies in an excluded folder": turn(Path(".git/HEAD")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_makes_another_image_changes_it(app: Path, name: str) -> None:
    before = hash_path(app, EXCLUDE)
    CHANGES[name](app)
    assert hash_path(app, EXCLUDE) != before


@pytest.mark.parametrize("name", SAME)
def test_what_makes_the_same_image_does_not(app: Path, name: str) -> None:
    before = hash_path(app, EXCLUDE)
    SAME[name](app)
    assert hash_path(app, EXCLUDE) == before


def test_the_same_files_elsewhere_are_the_same(app: Path, tmp_path: Path) -> None:
    before = hash_path(app)
    assert hash_path(app.rename(tmp_path / "elsewhere")) == before


def test_a_file_by_itself_counts_and_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "image.yml"
    missing = hash_path(file)
    file.write_text("a: 1")
    assert hash_path(file) != missing


def test_each_part_counts_under_its_name() -> None:
    assert hash_all({"a": "1", "b": "2"}) == hash_all({"b": "2", "a": "1"}) != hash_all({"a": "2", "b": "1"})
