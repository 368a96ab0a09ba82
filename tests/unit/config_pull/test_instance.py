# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the server is, by IMDSv2 alone, through the first seconds of a boot."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.deadline import Deadline
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.instance import Metadata, Place, locate

from .conftest import Peer


def test_a_token_first_then_tags_and_region(peer: Peer) -> None:
    peer.answers = [(200, "token"), (200, "shop"), (200, "prod"), (200, "eu-west-1"), (404, "")]
    assert locate(Metadata(Deadline(5), peer.url), None, None, None) == Place("shop", "prod", "eu-west-1")
    assert [(method, path) for method, path, _ in peer.requests] == [
        ("PUT", "/latest/api/token"),
        ("GET", "/latest/meta-data/tags/instance/app"),
        ("GET", "/latest/meta-data/tags/instance/env"),
        ("GET", "/latest/meta-data/placement/region"),
        ("GET", "/latest/meta-data/tags/instance/config-manifest"),
    ]
    assert all(
        headers["X-aws-ec2-metadata-token"] == "token" for method, _, headers in peer.requests if method == "GET"
    )


def test_the_endpoint_is_the_environments(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
    peer.answers = [(200, "x")]
    assert Metadata(Deadline(5)).get("meta-data/instance-id") == "x"


def test_what_is_given_is_not_asked_for(peer: Peer) -> None:
    peer.answers = [(500, "")]
    assert locate(Metadata(Deadline(5), peer.url), "a", "b", "c") == Place("a", "b", "c")
    assert peer.requests == []


def test_refusals_and_expired_tokens_are_retried(peer: Peer) -> None:
    peer.answers = [(503, ""), (200, "old"), (401, ""), (200, "new"), (200, "shop")]
    assert Metadata(Deadline(10), peer.url).get("meta-data/tags/instance/app") == "shop"
    assert peer.requests[-1][2]["X-aws-ec2-metadata-token"] == "new"


def test_nobody_answers(peer: Peer) -> None:
    peer.answers = [(503, "")]
    with pytest.raises(ConfigError, match=r"instance metadata .* no token, HTTP 503") as caught:
        Metadata(Deadline(2), peer.url).get("meta-data/instance-id")
    assert caught.value.code is Exit.INSTANCE


@pytest.mark.parametrize(
    ("app", "problem"),
    [
        ((404, ""), "has no tag 'app'"),
        ((200, "../other"), "tag 'app' may have letters"),
        ((200, "a/b"), "may have letters"),
    ],
)
def test_tags_that_are_missing_or_unusable(peer: Peer, app: tuple[int, str], problem: str) -> None:
    peer.answers = [(200, "token"), app, (404, ""), (200, "eu-west-1")]
    with pytest.raises(ConfigError) as caught:
        locate(Metadata(Deadline(5), peer.url), None, None, None)
    assert caught.value.code is Exit.INSTANCE
    assert problem in caught.value.problems[0]
    assert "has no tag 'env'" in caught.value.problems[1]


def test_the_manifest_of_its_colour_is_found(peer: Peer) -> None:
    peer.answers = [(200, "token"), (200, "shop"), (200, "prod"), (200, "eu-west-1"), (200, "/immutable/manifest")]
    place = locate(Metadata(Deadline(5), peer.url), None, None, None)
    assert place.manifest == "/immutable/manifest"
