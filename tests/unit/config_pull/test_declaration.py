# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations: what they say, and every mistake in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from roles.config_pull.files.config_pull.declaration import Key, Source, load, parse
from roles.config_pull.files.config_pull.errors import ConfigError, Exit

GOOD = """
sources:
  - {parameter_store: "/{app}/{env}/"}
  - {secrets_manager: "{app}/{env}/rails"}
keys:
  DATABASE_URL: {required: true, secret: true}
  RAILS_MAX_THREADS: {secret: false}
"""


def test_sources_in_order_and_keys() -> None:
    declaration = parse(yaml.safe_load(GOOD), "c.yml")
    assert declaration.sources == (
        Source("parameter_store", "/{app}/{env}/"),
        Source("secrets_manager", "{app}/{env}/rails"),
    )
    assert declaration.keys == (Key("DATABASE_URL", required=True), Key("RAILS_MAX_THREADS", secret=False))
    assert [source.filled("shop", "prod").name for source in declaration.sources] == ["/shop/prod/", "shop/prod/rails"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["sources and keys are expected"]),
        ("[1]", ["sources and keys are expected"]),
        ("keys: {}", ["sources must be a list"]),
        ("sources: []", ["sources must be a list"]),
        ("{sources: [{vault: x}, {secrets_manager: a, parameter_store: /b}, x]}", ["source 1", "source 2", "source 3"]),
        ("sources: [{secrets_manager: 5}]", ["source 1 (secrets_manager) must name a place"]),
        ("sources: [{parameter_store: 'shop/'}]", ["begins with a slash"]),
        ("sources: [{secrets_manager: '{app}/{region}'}]", ["may use {app} and {env}, not {region}"]),
        ("{sources: [{secrets_manager: a}], keys: [A]}", ["keys must be a mapping"]),
        ("{sources: [{secrets_manager: a}], keys: {A: true}}", ["key A must have options"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {requird: true}}}", ["key A: requird must be one of"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {required: 'yes'}}}", ["key A: required must be one of"]),
        (
            "{sources: [{secrets_manager: a}], keys: {PATH: {}, a-b: {}, 1: {}}}",
            ["key PATH is refused", "key a-b", "key 1"],
        ),
        ("{sources: [], keys: [], more: 1}", ["'more' is not known", "sources must", "keys must"]),
    ],
)
def test_mistakes_are_named_all_at_once(text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(yaml.safe_load(text), "c.yml")
    assert caught.value.code is Exit.DECLARATION
    assert len(caught.value.problems) == len(problems)
    for found, expected in zip(caught.value.problems, problems, strict=True):
        assert found.startswith("c.yml: ")
        assert expected in found


def test_a_file_that_is_missing_or_not_yaml(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    with pytest.raises(ConfigError, match=r"can't be read: No such file") as caught:
        load(path)
    assert caught.value.code is Exit.DECLARATION
    path.write_text("keys: {A: [}\n")
    with pytest.raises(ConfigError, match="is not YAML in line 1, column"):
        load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)
    path.write_text(GOOD)
    assert len(load(path).keys) == 2
