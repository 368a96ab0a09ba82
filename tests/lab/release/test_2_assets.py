# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers make of assets that their image lacks, when the bucket has them, has not, or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.contract.faulty import arm
from tests.lab.contract.support import Api, wait_for
from tests.lab.shop import APP, Shop

LONGEST_SECONDS = 6
"""nginx waits 5 s for the bucket."""


def test_an_asset_of_the_other_release_looks_like_ones_own(shop: Shop) -> None:
    """Prod serves the second release by now."""
    (own,), (other,) = shop.assets_of_its_own(shop.second), shop.assets_of_its_own(shop.first)
    answers = [shop.asks("prod", path) for path in (own, other)]
    assert [answer.headers["x-release"] for answer in answers] == [shop.second] * 2
    for name in ("content-type", "content-length", "cache-control", "server"):
        assert answers[0].headers[name] == answers[1].headers[name], name
    assert b"--accent" in answers[0].body and b"--accent" in answers[1].body
    assert answers[0].body != answers[1].body
    # ETag and dates are nginx's; nothing says where it comes from.
    assert {name for name in answers[1].headers if name.startswith(("x-", "via"))} == {"x-release"}


@pytest.mark.parametrize(
    "path",
    ["/assets/never-12345678.css", "/assets/../up-12345678.css", "/assets/.hidden-12345678.css", "/assets/theme.css"],
)
def test_what_no_release_has_is_404_soon(shop: Shop, path: str) -> None:
    answer = shop.asks("prod", path)
    assert (answer.status, answer.headers["x-release"]) == (404, shop.second)
    assert answer.seconds < LONGEST_SECONDS


@pytest.mark.parametrize("effect", ["internal", "denied", "hold_before"])
def test_promise_1_a_bucket_that_fails_makes_no_error_and_what_was_fetched_is_served(shop: Shop, effect: str) -> None:
    (fetched,) = shop.assets_of_its_own(shop.first)
    path = f"/assets/while-{effect}-12345678.css"
    shop.cloud.objects.put_object(Bucket=shop.cloud.make_bucket(APP), Key=f"assets/public{path}", Body=b"x")
    with failing(shop, effect):
        for _ in range(4):  # and servers that have had enough of it
            answer = shop.asks("prod", path)
            assert (answer.status, answer.seconds < LONGEST_SECONDS) == (404, True)
        assert shop.asks("prod", fetched).status == 200
    wait_for(lambda: shop.asks("prod", path).status == 200, "the bucket is asked again", 30)


@contextmanager
def failing(shop: Shop, effect: str) -> Iterator[None]:
    """Whoever reads an object of a bucket meets this, meanwhile."""
    api = Api(shop.settings.api_url, shop.settings.run_dir)
    fault = arm(api, effect, {"service": "s3", "operation": "GetObject"}, times=1000)
    try:
        yield
    finally:
        fault.remove()


def test_a_release_whose_assets_are_not_kept_is_refused_before_anything_is_changed(shop: Shop) -> None:
    objects, bucket, key = shop.cloud.objects, shop.cloud.make_bucket(APP), f"assets/releases/{shop.second}.json"
    listed = objects.get_object(Bucket=bucket, Key=key)["Body"].read()
    before = shop.cloud.everything()
    objects.delete_object(Bucket=bucket, Key=key)
    try:
        said = shop.refuses("deploy", env="staging", image=shop.second, deployment_launch={"VolumeGiB": 9})
    finally:
        objects.put_object(Bucket=bucket, Key=key, Body=listed)
    assert f"the assets of {shop.second} are not in the bucket {bucket}" in said
    assert shop.cloud.everything() == before
