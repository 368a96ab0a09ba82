# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases' assets in a bucket: written once, removed with the last release that has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.assets.keep import keep, remove
from ansible_collections.immutable.ec2.plugins.module_utils.aws import buckets
from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import NO_BUCKET, has_object
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from tests.lab.assets.conftest import Pack

CSS, JS, OWN = "assets/x-12345678.css", "assets/y-12345678.js", "assets/z-12345678.css"


def keys(clients: Clients, bucket: str) -> set[str]:
    return {one["Key"] for one in clients.s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def test_assets_are_written_once_with_their_kind_and_listed_last(clients: Clients, bucket: str, pack: Pack) -> None:
    archive = pack(**{"x-12345678__css": "a", "y-12345678__js": "b"})
    assert keep(clients, bucket, "r1", archive, check_mode=True).uploaded == (CSS, JS)
    assert keys(clients, bucket) == set()
    assert keep(clients, bucket, "r1", archive).changed
    assert keys(clients, bucket) == {f"assets/public/{CSS}", f"assets/public/{JS}", "assets/releases/r1.json"}
    found = clients.s3.get_object(Bucket=bucket, Key=f"assets/public/{CSS}")
    assert (found["ContentType"], found["CacheControl"]) == ("text/css", "public, max-age=31536000, immutable")
    assert not keep(clients, bucket, "r1", archive).changed


def test_a_run_that_breaks_off_leaves_no_list_and_the_next_one_ends_it(
    clients: Clients, bucket: str, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(**{f"{number}-12345678__css": "a" for number in range(20)})
    real, calls = buckets.put_object, []

    def put(*asked: Any) -> None:
        calls.append(asked)
        if len(calls) > 12:
            raise AwsError("write to the bucket", "the connection broke")
        real(*asked)

    with monkeypatch.context() as patched:
        patched.setattr(buckets, "put_object", put)
        with pytest.raises(AwsError):
            keep(clients, bucket, "r1", archive)
    assert not has_object(clients, bucket, "assets/releases/r1.json")
    assert 8 <= len(keep(clients, bucket, "r1", archive).uploaded) < 20
    assert has_object(clients, bucket, "assets/releases/r1.json")


def test_assets_go_with_the_last_release_that_lists_them(
    clients: Clients, bucket: str, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(clients, bucket, "r1", pack(**{"x-12345678__css": "a", "y-12345678__js": "b"}))
    keep(clients, bucket, "r2", pack(**{"y-12345678__js": "b", "z-12345678__css": "c"}))
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert remove(clients, bucket, ["r1"], check_mode=True).assets == (f"assets/public/{CSS}",)
    remove(clients, bucket, ["r1"])
    assert keys(clients, bucket) == {f"assets/public/{JS}", f"assets/public/{OWN}", "assets/releases/r2.json"}
    remove(clients, bucket, ["r2", "never-there"])
    assert keys(clients, bucket) == set()


def test_a_list_that_cant_be_understood_removes_nothing(
    clients: Clients, bucket: str, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(clients, bucket, "r1", pack(**{"x-12345678__css": "a"}))
    clients.s3.put_object(Bucket=bucket, Key="assets/releases/r2.json", Body=b"{")
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    before = keys(clients, bucket)
    with pytest.raises(Refused, match=r"r2\.json .* can't be understood; no asset was removed"):
        remove(clients, bucket, ["r1"])
    assert keys(clients, bucket) == before


def test_more_than_a_page_of_assets_is_seen_whole(clients: Clients, bucket: str, pack: Pack) -> None:
    archive = pack(**{f"{number}-12345678__css": "a" for number in range(1005)})
    keep(clients, bucket, "r1", archive)
    assert not keep(clients, bucket, "r1", archive).changed


def test_without_a_bucket_the_error_says_so(clients: Clients, pack: Pack) -> None:
    with pytest.raises(AwsError) as error:
        keep(clients, "nobodys", "r1", pack())
    assert error.value.code == NO_BUCKET
    with pytest.raises(AwsError) as error:
        has_object(clients, "nobodys", "assets/releases/r1.json")
    assert error.value.code == NO_BUCKET
