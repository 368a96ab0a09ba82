# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service answers as AWS's does: to botocore's own client, and to a server by its address."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from botocore.utils import InstanceMetadataFetcher

from lab.metadata import InstanceFacts, MetadataService
from lab.settings import ACCESS_KEY, Settings
from tests.lab.servers.conftest import Ssh

Launch = Callable[..., str]
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
FACTS = InstanceFacts(
    instance_id="i-0000000000000000b",
    image_id="ami-00000000000000001",
    instance_type="t3.small",
    region="eu-west-1",
    availability_zone="eu-west-1a",
    private_ip="127.0.0.1",
    account_id="123456789012",
    launched_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    tags={"app": "shop", "colour": "blue"},
    role_name="shop-server",
    public_key="ssh-ed25519 AAAA key",
    user_data=b"\x00 any bytes",
)


@dataclass
class Asker:
    """A service on the loopback address, and one caller of it."""

    service: MetadataService
    facts: InstanceFacts | None

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=5)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def token(self, ttl: str = "60") -> str:
        status, token = self.ask("PUT", "/latest/api/token", **{TTL: ttl})
        assert status == 200
        return token.decode()

    def get(self, path: str) -> tuple[int, bytes]:
        return self.ask("GET", f"/latest/{path}", **{TOKEN: self.token()})


@pytest.fixture
def asker() -> Iterator[Asker]:
    found: list[Asker] = []
    service = MetadataService(lambda address: found[0].facts if address == "127.0.0.1" else None, "127.0.0.1", 0)
    found.append(Asker(service, FACTS))
    yield found[0]
    service.close()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("meta-data/instance-id", b"i-0000000000000000b"),
        ("meta-data/ami-id", b"ami-00000000000000001"),
        ("meta-data/instance-type", b"t3.small"),
        ("meta-data/local-ipv4", b"127.0.0.1"),
        ("meta-data/placement/region", b"eu-west-1"),
        ("meta-data/placement/availability-zone", b"eu-west-1a"),
        ("meta-data/tags/instance/", b"app\ncolour"),
        ("meta-data/tags/instance", b"app\ncolour"),
        ("meta-data/tags/instance/colour", b"blue"),
        ("meta-data/iam/security-credentials/", b"shop-server"),
        ("meta-data/public-keys/0/openssh-key", b"ssh-ed25519 AAAA key"),
        ("meta-data/placement/", b"availability-zone\nregion"),
        ("user-data", b"\x00 any bytes"),
    ],
)
def test_content(asker: Asker, path: str, content: bytes) -> None:
    assert asker.get(path) == (200, content)


@pytest.mark.parametrize("path", ["meta-data/nothing", "meta-data/tags/instance/none", "meta-data/instance-i", "x"])
def test_what_is_not_there_is_404(asker: Asker, path: str) -> None:
    assert asker.get(path)[0] == 404


def test_what_the_launch_did_not_give_is_404(asker: Asker) -> None:
    asker.facts = replace(FACTS, tags=None, role_name=None, public_key=None, user_data=None)
    for path in ("meta-data/tags/instance/", "meta-data/tags/instance/app", "meta-data/iam/security-credentials/"):
        assert asker.get(path)[0] == 404
    assert asker.get("user-data")[0] == 404
    assert b"tags" not in asker.get("meta-data/")[1]


def test_the_identity_document(asker: Asker) -> None:
    document = json.loads(asker.get("dynamic/instance-identity/document")[1])
    assert (document["instanceId"], document["region"]) == ("i-0000000000000000b", "eu-west-1")
    assert document["pendingTime"] == "2026-01-02T03:04:05Z"


def test_without_a_token_nothing_is_told_where_one_is_required(asker: Asker) -> None:
    assert asker.ask("GET", "/latest/meta-data/instance-id") == (401, b"")
    assert asker.ask("GET", "/latest/meta-data/instance-id", **{TOKEN: "made-up"}) == (401, b"")
    asker.facts = replace(FACTS, token_required=False)
    assert asker.ask("GET", "/latest/meta-data/instance-id") == (200, FACTS.instance_id.encode())
    assert asker.ask("GET", "/latest/meta-data/instance-id", **{TOKEN: "made-up"}) == (401, b"")


def test_a_token_expires(asker: Asker) -> None:
    token = asker.token("1")
    path = "/latest/meta-data/instance-id"
    assert asker.ask("GET", path, **{TOKEN: token})[0] == 200
    deadline = datetime.now(UTC).timestamp() + 5
    while asker.ask("GET", path, **{TOKEN: token})[0] != 401:
        assert datetime.now(UTC).timestamp() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "soon"])
def test_a_token_needs_a_time_to_live(asker: Asker, ttl: str) -> None:
    assert asker.ask("PUT", "/latest/api/token", **({TTL: ttl} if ttl else {}))[0] == 400


def test_a_token_is_not_given_through_a_proxy(asker: Asker) -> None:
    assert asker.ask("PUT", "/latest/api/token", X_Forwarded_For="10.0.0.1", **{TTL: "60"})[0] == 403


def test_who_is_no_instance_is_told_nothing(asker: Asker) -> None:
    asker.facts = None
    assert asker.get("meta-data/instance-id") == (404, b"")


def test_botocore_takes_its_credentials_from_it(asker: Asker) -> None:
    fetcher = InstanceMetadataFetcher(base_url=f"http://127.0.0.1:{asker.service.port}/", num_attempts=1)
    credentials = fetcher.retrieve_iam_role_credentials()
    assert (credentials["role_name"], credentials["access_key"]) == ("shop-server", ACCESS_KEY)
    assert datetime.fromisoformat(credentials["expiry_time"]) > datetime.now(UTC)


def test_each_server_is_told_of_itself(launch: Launch, ssh: Ssh, settings: Settings) -> None:
    addresses = {launch(number): f"i-{number:017x}" for number in (11, 12)}

    def lookup(address: str) -> InstanceFacts | None:
        return replace(FACTS, instance_id=addresses[address]) if address in addresses else None

    script = (
        "import os, urllib.request as u; base = os.environ['AWS_EC2_METADATA_SERVICE_ENDPOINT'] + '/latest/'; "
        f"t = u.urlopen(u.Request(base + 'api/token', method='PUT', headers={{'{TTL}': '60'}})).read().decode(); "
        f"g = u.Request(base + 'meta-data/instance-id', headers={{'{TOKEN}': t}}); print(u.urlopen(g).read().decode())"
    )
    service = MetadataService(lookup, settings.gateway, settings.metadata_port)
    try:
        for address, instance_id in addresses.items():
            command = f'sudo systemd-run --quiet --wait --pipe python3 -c "{script}"'
            assert ssh(address, command) == instance_id
    finally:
        service.close()


def test_a_token_is_good_for_one_source_only(launch: Launch, ssh: Ssh, settings: Settings) -> None:
    address = launch(11)
    service = MetadataService(lambda _: FACTS, settings.gateway, settings.metadata_port)
    try:
        connection = http.client.HTTPConnection(settings.gateway, settings.metadata_port, timeout=5)
        connection.request("PUT", "/latest/api/token", headers={TTL: "60"})
        stolen = connection.getresponse().read().decode()
        connection.close()
        script = (
            "import urllib.request as u, urllib.error as e\n"
            f"r = u.Request('{settings.metadata_url}/latest/meta-data/', headers={{'{TOKEN}': '{stolen}'}})\n"
            "try: u.urlopen(r); print('told')\n"
            "except e.HTTPError as x: print(x.code)"
        )
        assert ssh(address, f'python3 -c "{script}"') == "401"
    finally:
        service.close()
