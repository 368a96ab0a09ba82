# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One version for all servers of a colour: what a manifest makes of the sources."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Source
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.manifest import Manifest
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
