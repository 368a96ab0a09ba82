# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One version for all servers of a colour: what a manifest makes of the sources."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Source
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.manifest import LONGEST, Manifest, read, text
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.stores.content import Content
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.stores.everything import names

PATH = Source("parameter_store", "/shop/prod/")
SECRET = Source("secrets_manager", "shop/prod/rails", {"stage": "AWSCURRENT", "optional": True})
VAULT = Source("vault", "kv/shop/prod", {"auth": "aws_iam"})
FREE = Source("vault", "old/shop", {"engine": 1, "pin": False})
MANIFEST = Manifest(
    "/immutable/shop",
    {
        PATH.address: {"parameters": {"A": 3, "/shop/prod/deep/B": 1}},
        SECRET.address: {"stage": "blue-1"},
        VAULT.address: {"version": 4},
        FREE.address: {},
    },
)


def test_parameters_are_read_by_name_and_version() -> None:
    assert names(PATH, MANIFEST) == ["/shop/prod/A:3", "/shop/prod/deep/B:1"]
    assert names(PATH, None) is None
    assert MANIFEST.pinned(PATH) == PATH


def test_a_parameter_that_is_named_needs_no_manifest() -> None:
    assert names(Source("parameter_store", "/a/b", {"key": "B"}), None) == ["/a/b"]
    assert names(Source("parameter_store", "/a/b", {"key": "B", "version": 2}), None) == ["/a/b:2"]
    assert names(Source("parameter_store", "/a/b", {"key": "B", "label": "green"}), None) == ["/a/b:green"]


def test_secrets_and_vault_are_read_by_stage_and_version() -> None:
    assert MANIFEST.pinned(SECRET).options == {"stage": "blue-1", "optional": True}
    assert MANIFEST.pinned(VAULT).options == {"auth": "aws_iam", "version": 4}
    assert MANIFEST.pinned(FREE) == FREE


def test_a_source_that_the_manifest_does_not_know_is_an_error() -> None:
    with pytest.raises(ConfigError, match="the manifest /immutable/shop does not know it") as caught:
        MANIFEST.pinned(Source("vault", "kv/other"))
    assert caught.value.code is Exit.DECLARATION


def test_sources_of_one_place_that_read_different_things_are_told_apart() -> None:
    current, before = (Source("secrets_manager", "shop/rails", {"key": key}) for key in ("NOW", "BEFORE"))
    manifest = Manifest("m", {current.address: {"version": "2"}, before.address: {"version": "1"}})
    assert [manifest.pinned(source).options["version"] for source in (current, before)] == ["2", "1"]


def test_kv_version_1_is_never_pinned() -> None:
    assert not Source("vault", "old/shop", {"engine": 1}).pinned
    assert Source("vault", "kv/shop", {"engine": 2}).pinned


def test_an_optional_source_that_did_not_exist_does_not_exist_for_its_colour() -> None:
    later = Source("secrets_manager", "shop/later", {"optional": True})
    assert Content(later, {}, missing=True).pin() == {"absent": True}
    assert Manifest("m", {later.address: {"absent": True}}).absent(later)
    assert not Manifest("m", {later.address: {"version": "1"}}).absent(later)


@pytest.mark.parametrize("parameters", [0, 60, 400])
def test_a_manifest_fits_into_a_parameter_and_is_read_back(parameters: int) -> None:
    pins = {"parameter_store /shop/prod/": {"parameters": {f"SOME_LONGER_NAME_{n}": n for n in range(parameters)}}}
    assert len(text(pins)) <= LONGEST
    assert read(text(pins)) == pins


def test_one_that_does_not_fit_says_what_to_do() -> None:
    names = {hashlib.sha256(str(number).encode()).hexdigest(): number for number in range(300)}
    with pytest.raises(ConfigError, match="into fewer entries"):
        text({"parameter_store /shop/prod/": {"parameters": names}})


@pytest.mark.parametrize("value", ["", "{}", "[1]", '{"format": 2, "sources": {}}', "zlib:!", "zlib:AAAA", "null"])
def test_what_is_no_manifest(value: str) -> None:
    with pytest.raises(ValueError, match="no manifest of format 1"):
        read(value)
