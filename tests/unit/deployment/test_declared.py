# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration in an image's tags, as packer/app/app.pkr.hcl writes it."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.declared import packed, unpacked

A_TAG = 256


def tags(content: object) -> dict[str, str]:
    text = base64.b64encode(json.dumps(content).encode()).decode()
    parts = [text[start : start + A_TAG] for start in range(0, len(text), A_TAG)]
    return {"app": "shop", **{f"declaration-{number}": part for number, part in enumerate(parts, 1)}}


def test_many_tags_are_put_together_in_the_order_of_their_numbers() -> None:
    keys = {f"KEY_{number}": {"required": True} for number in range(90)}
    written = tags({"sources": [{"parameter_store": "/{app}/{env}/"}], "keys": keys})
    assert "declaration-10" in written
    declaration = unpacked(packed(dict(reversed(written.items()))), "r1")
    assert [key.name for key in declaration.keys] == list(keys)


@pytest.mark.parametrize("others", [{}, {"app": "shop"}, {"declaration-": "x", "declaration-x": "y", "1": "z"}])
def test_an_image_without_such_tags_has_none(others: dict[str, str]) -> None:
    assert packed(others) == ""


def test_one_of_the_tags_is_gone() -> None:
    written = tags({"sources": [{"parameter_store": "/a/" + "b" * 600}]})
    del written["declaration-2"]
    with pytest.raises(ConfigError, match="hold no declaration; bake it anew") as caught:
        unpacked(packed(written), "r1")
    assert caught.value.code is Exit.DECLARATION
