# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameter Store and Secrets Manager: pages, decryption, and what each refusal means."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from roles.config_pull.files.config_pull.deadline import Deadline
from roles.config_pull.files.config_pull.declaration import Source
from roles.config_pull.files.config_pull.errors import ConfigError, Exit
from roles.config_pull.files.config_pull.stores import Stores

from .conftest import Peer

PATH = Source("parameter_store", "/shop/prod/")
SECRET = Source("secrets_manager", "shop/prod/rails")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(name="stores")
def fixture_stores() -> Iterator[Stores]:
    with mock_aws():
        yield Stores("eu-west-1", Deadline(30))


@pytest.fixture(name="faulty")
def fixture_faulty(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Stores:
    monkeypatch.setenv("AWS_ENDPOINT_URL", peer.url)
    return Stores("eu-west-1", Deadline(1))


@pytest.fixture(name="patient")
def fixture_patient(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Stores:
    monkeypatch.setenv("AWS_ENDPOINT_URL", peer.url)
    return Stores("eu-west-1", Deadline(30))


def test_all_pages_decrypted_and_nothing_of_another_path(stores: Stores) -> None:
    ssm = boto3.client("ssm", region_name="eu-west-1")
    for number in range(25):
        ssm.put_parameter(Name=f"/shop/prod/KEY_{number}", Value=f"value {number}", Type="SecureString")
    ssm.put_parameter(Name="/shop/production/OTHER", Value="x", Type="String")
    ssm.put_parameter(Name="/shop/prod/deeper/OTHER", Value="x", Type="String")
    assert stores.read(PATH) == {f"KEY_{number}": f"value {number}" for number in range(25)}
    assert stores.read(Source("parameter_store", "/shop/prod")) == stores.read(PATH)


def test_a_json_secret_keeps_numbers_as_they_are_written(stores: Stores) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    client.create_secret(Name=SECRET.name, SecretString='{"A": "a", "N": 1.0, "B": false, "L": []}')
    assert stores.read(SECRET) == {"A": "a", "N": "1.0", "B": False, "L": []}


@pytest.mark.parametrize("text", ["not json", "[1]", '"x"', "{"])
def test_a_secret_that_is_no_json_object(stores: Stores, text: str) -> None:
    boto3.client("secretsmanager", region_name="eu-west-1").create_secret(Name=SECRET.name, SecretString=text)
    with pytest.raises(ConfigError, match="a JSON object is expected") as caught:
        stores.read(SECRET)
    assert caught.value.code is Exit.INCOMPLETE


def test_a_secret_that_is_not_there(stores: Stores) -> None:
    with pytest.raises(ConfigError, match="secrets_manager shop/prod/rails: there is no such entry") as caught:
        stores.read(SECRET)
    assert caught.value.code is Exit.NOT_FOUND


def refusal(code: str) -> str:
    return json.dumps({"__type": code, "message": "you sent s3cret"})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "ThrottlingException"), (500, "InternalServerError"), (503, ""), (429, "TooManyRequests")],
)
def test_what_passes_is_asked_again(peer: Peer, patient: Stores, status: int, code: str) -> None:
    peer.answers = [(status, refusal(code)), (200, '{"Parameters": [{"Name": "/shop/prod/A", "Value": "1"}]}')]
    assert patient.read(PATH) == {"A": "1"}
    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "AccessDeniedException", Exit.DENIED),
        (403, "SignatureDoesNotMatch", Exit.DENIED),
        (400, "ResourceNotFoundException", Exit.NOT_FOUND),
        (400, "InvalidKeyId", Exit.UNAVAILABLE),
    ],
)
def test_what_does_not_pass_ends_it_at_once(peer: Peer, faulty: Stores, status: int, code: str, expected: Exit) -> None:
    peer.answers = [(status, refusal(code))]
    with pytest.raises(ConfigError) as caught:
        faulty.read(PATH)
    assert caught.value.code is expected
    assert code in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert len(peer.requests) == 1


def test_a_store_that_stays_away_is_unavailable(peer: Peer, faulty: Stores) -> None:
    peer.answers = [(503, "")]
    with pytest.raises(ConfigError, match=r"parameter_store /shop/prod/: tried \d+ times in 1 s") as caught:
        faulty.read(PATH)
    assert caught.value.code is Exit.UNAVAILABLE


def test_credentials_may_come_late(peer: Peer, faulty: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    peer.answers = [(200, '{"Parameters": []}')]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(ConfigError, match="no AWS credentials"):
        faulty.read(PATH)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    assert faulty.read(PATH) == {}
