# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations: what they say, and every mistake in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Key, Source, load, parse
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit

GOOD = """
sources:
  - {parameter_store: "/{app}/{env}/"}
  - {secrets_manager: "{app}/{env}/rails"}
keys:
  DATABASE_URL: {required: true, secret: true}
  RAILS_MAX_THREADS: {secret: false, type: integer, default: 5}
  TLS_KEY: {as: file}
"""


def test_sources_in_order_and_keys() -> None:
    declaration = parse(yaml.safe_load(GOOD), "c.yml")
    assert declaration.sources == (
        Source("parameter_store", "/{app}/{env}/"),
        Source("secrets_manager", "{app}/{env}/rails"),
    )
    assert declaration.keys == (
        Key("DATABASE_URL", required=True),
        Key("RAILS_MAX_THREADS", secret=False, type="integer", default="5"),
        Key("TLS_KEY", as_file=True),
    )
    assert [source.filled("shop", "prod").name for source in declaration.sources] == ["/shop/prod/", "shop/prod/rails"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{sources: [{secrets_manager: a}], strict: 1}", ["strict must be"]),
        ("sources: [{parameter_store: /a//b}]", ["can't exist"]),
        ("sources: [{parameter_store: '/a b'}]", ["can't exist"]),
        ("sources: [{parameter_store: /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16}]", ["can't exist"]),
        ("sources: [{secrets_manager: 'a b'}]", ["can't exist"]),
        ("sources: [{vault: kv}]", ["must name a mount and a path"]),
        ("sources: [{vault: kv/a, auth: ldap}]", ["auth must be aws_iam, approle or token_file"]),
        ("sources: [{vault: kv/a, auth: approle}]", ["needs role_id_file and secret_id_file"]),
        ("sources: [{vault: kv/a, auth: token_file}]", ["needs token_file"]),
        ("sources: [{vault: kv/a, address: vault.example.com}]", ["address must be a URL"]),
        ("sources: [{vault: kv/a, engine: 3}]", ["engine must be 1 or 2"]),
        ("sources: [{vault: kv/a, engine: 1, version: 2}]", ["KV version 1 keeps none"]),
        ("sources: [{vault: kv/a, token_file: here, auth: token_file}]", ["token_file must be the path of a file"]),
        ("sources: [{secrets_manager: a, stage: x, version: y}]", ["a version or a label, not both"]),
        ("sources: [{parameter_store: /a, version: 3}]", ["say with key"]),
        ("sources: [{parameter_store: /a, key: A, recursive: true}]", ["recursive is of a path"]),
        ("sources: [{parameter_store: /a, key: PATH}]", ["key must be the name of a variable"]),
        ("sources: [{parameter_store: /a, label: '{region}'}]", ["label may use {app} and {env}"]),
        (
            "sources: [{secrets_manager: a, optional: maybe, retries: 3}]",
            ["optional must", "no option 'retries'"],
        ),
        ("{sources: [{secrets_manager: a}], keys: {A: {type: int}}}", ["key A: type must be one of"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {pattern: '('}}}", ["key A: pattern must be"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {pattern: 3}}}", ["key A: pattern must be"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {allowed: []}}}", ["key A: allowed must be"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {default: [1]}}}", ["key A: default must be"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {as: dir}}}", ["key A: as must be"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {required: true, default: 1}}}", ["can't be required"]),
        (
            "{sources: [{secrets_manager: a}], keys: {A: {type: integer, default: x}}}",
            ["default must be an integer"],
        ),
        ("{sources: [{secrets_manager: a}], keys: {A: {allowed: [a], default: b}}}", ["its default must be one of a"]),
        ("", ["sources and keys are expected"]),
        ("[1]", ["sources and keys are expected"]),
        ("keys: {}", ["sources must be a list"]),
        ("sources: []", ["sources must be a list"]),
        ("{sources: [{etcd: x}, {secrets_manager: a, parameter_store: /b}, x]}", ["source 1", "source 2", "source 3"]),
        ("sources: [{secrets_manager: 5}]", ["source 1 (secrets_manager) must name a place"]),
        ("sources: [{parameter_store: 'shop/'}]", ["begins with a slash"]),
        ("sources: [{secrets_manager: '{app}/{region}'}]", ["may use {app} and {env}, not {region}"]),
        ("{sources: [{secrets_manager: a}], keys: [A]}", ["keys must be a mapping"]),
        ("{sources: [{secrets_manager: a}], keys: {A: true}}", ["key A must have options"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {requird: true}}}", ["key A: requird is not known"]),
        ("{sources: [{secrets_manager: a}], keys: {A: {required: 'yes'}}}", ["key A: required must be true or false"]),
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


def test_options_of_a_source_are_filled_in_too() -> None:
    text = "sources: [{vault: 'kv/{app}', auth: aws_iam, role: '{app}-{env}', optional: true, pin: false}]"
    source = parse(yaml.safe_load(text), "c.yml").sources[0].filled("shop", "prod")
    assert (source.name, source.text("role"), source.optional, source.pinned) == ("kv/shop", "shop-prod", True, False)


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
    assert len(load(path).keys) == 3
