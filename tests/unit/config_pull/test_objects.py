# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An object is asked for as botocore would, and a refusal teaches what it can."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import pytest
from botocore import auth, awsrequest
from botocore import credentials as botocore_credentials

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws import objects
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.objects import Objects, of_instance
from tests.unit.config_pull.conftest import Peer

NOW = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
KEY = "assets/public/assets/a b+c~ü-12345678.css"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "AKID", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": "token+=="}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("bucket", "region", "special", "url"),
    [
        ("shop-artifacts", "eu-west-1", None, "https://shop-artifacts.s3.eu-west-1.amazonaws.com/"),
        ("shop.artifacts", "cn-north-1", None, "https://s3.cn-north-1.amazonaws.com.cn/shop.artifacts/"),
        ("shop-artifacts", "eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/shop-artifacts/"),
    ],
)
def test_like_botocore(
    bucket: str, region: str, special: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if special:
        monkeypatch.setenv("AWS_ENDPOINT_URL", special)
    with mock.patch.object(objects, "datetime") as clock:
        clock.now.return_value = NOW
        ask = Objects(bucket, region).get(KEY)
    request = awsrequest.AWSRequest("GET", f"http{'s' * ask.secure}://{ask.host}{ask.path}")
    theirs = auth.S3SigV4Auth(botocore_credentials.Credentials("AKID", "secret", "token+=="), "s3", region)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        theirs.add_auth(request)
    assert ask.headers["Authorization"] == request.headers["Authorization"]
    assert ask.headers["X-Amz-Content-Sha256"] == request.headers["X-Amz-Content-SHA256"]
    assert request.url == url + "assets/public/assets/a%20b%2Bc~%C3%BC-12345678.css"


def test_credentials_that_expired_are_looked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Objects("shop-artifacts", "eu-west-1")
    assert "Credential=AKID/" in bucket.get("k").headers["Authorization"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NEWER")
    assert "Credential=AKID/" in bucket.get("k").headers["Authorization"]
    assert bucket.refused(400, {}, b"<Error><Code>ExpiredToken</Code></Error>")
    assert "Credential=NEWER/" in bucket.get("k").headers["Authorization"]


def test_a_bucket_elsewhere_is_asked_where_it_is() -> None:
    bucket = Objects("shop-artifacts", "eu-west-1")
    elsewhere = {"x-amz-bucket-region": "us-east-1"}
    assert bucket.refused(301, elsewhere, b"<Error><Code>PermanentRedirect</Code></Error>")
    assert bucket.get("k").host == "shop-artifacts.s3.us-east-1.amazonaws.com"
    # No second time: that would go round for ever.
    assert not bucket.refused(301, elsewhere, b"<Error><Code>PermanentRedirect</Code></Error>")


@pytest.mark.parametrize("told", ["evil.example.com/", "", "x"])
def test_what_is_no_region_is_not_believed(told: str) -> None:
    assert not Objects("shop-artifacts", "eu-west-1").refused(301, {"x-amz-bucket-region": told}, b"")


@pytest.mark.parametrize(
    ("status", "tag", "found"), [(200, "shop-artifacts", "shop-artifacts"), (404, "", None), (200, "../x", None)]
)
def test_the_bucket_is_the_one_that_the_instances_tag_names(
    status: int, tag: str, found: str | None, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
    peer.answers = [(200, "token"), (status, tag), (200, "eu-west-1")]
    bucket = of_instance("assets-bucket")
    assert (bucket.bucket if bucket else None) == found
    assert peer.requests[1][:2] == ("GET", "/latest/meta-data/tags/instance/assets-bucket")
