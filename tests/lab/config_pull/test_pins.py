# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment settles before it makes a colour: the stores fit the declaration, and versions are kept for it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull import manifest
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration import labels
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import MayNotRead, pin
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment, Settings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Capacity, Deployed, Pins, Release
from lab.settings import ACCESS_KEY, SECRET_KEY
from tests.lab.config_pull.agent import Agent
from tests.lab.contract.faulty import Client, arm
from tests.lab.contract.support import Api
from tests.vault.server import Vault

ENV = "pins"


@dataclass
class Deployer:
    """Who deploys: clients, and the lines that were told."""

    api: Api
    clients: Clients
    told: list[str] = field(default_factory=list)

    def pin(self, declaration: dict[str, Any], **launch: str) -> Deployed:
        """What is wanted of a release with this declaration, after the stores were looked at."""
        packed = base64.b64encode(json.dumps(declaration).encode()).decode()
        return self.pinned(packed, **launch)

    def pinned(self, packed: str, **launch: str) -> Deployed:
        settings = Settings(
            Environment("shop", ENV), "newest", Capacity(1, 2), "t3.small", "template", launch, {}, "/up",
            timedelta(minutes=10), timedelta(hours=1), immediate=False,
        )  # fmt: skip
        release = Release("r1", "ami-1", declaration=packed)
        wanted = Deployed(release, settings.identity(release), settings.capacity, settings.deadline)
        return pin(self.clients, settings, wanted, self.told.append)

    def pins(self, declaration: dict[str, Any]) -> Pins:
        found = self.pin(declaration).pins
        assert found
        return found

    def stages(self, secret: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self.api.client("secretsmanager").describe_secret(SecretId=secret)[
            "VersionIdsToStages"
        ]
        return found


@pytest.fixture
def deployer(api: Api, monkeypatch: pytest.MonkeyPatch) -> Deployer:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "deployer")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    return Deployer(api, connect({"region": "eu-west-1", "endpoint_url": api.url}))


def put(api: Api, name: str, value: str) -> int:
    version: int = api.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)[
        "Version"
    ]
    return version


def secret(api: Api, name: str, value: str) -> str:
    client = api.client("secretsmanager")
    try:
        version: str = client.put_secret_value(SecretId=name, SecretString=value)["VersionId"]
    except client.exceptions.ResourceNotFoundException:
        version = client.create_secret(Name=name, SecretString=value)["VersionId"]
    return version


def test_servers_read_what_was_there_when_the_colour_was_made(api: Api, vault: Vault, agent: Agent) -> None:
    """The deployment and the agent are two programs: what one writes, the other reads."""
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}  # those that Vault's STS knows
    deployer = Deployer(api, connect({"region": "eu-west-1", "endpoint_url": api.url, **keys}))
    login = {"address": vault.address, "auth": "aws_iam", "role": "shop", "server_id": "vault.lab"}
    declaration = {
        "sources": [
            {"parameter_store": "/{app}/{env}/"},
            {"secrets_manager": "{app}/{env}/rails"},
            {"secrets_manager": "{app}/{env}/rails", "stage": "AWSPREVIOUS", "key": "BEFORE"},
            {"vault": "kv/{app}/{env}", **login},
            {"secrets_manager": "{app}/{env}/later", "optional": True},
            {"parameter_store": "/{app}/free/", "pin": False},
        ],
        "keys": {"A": {"required": True}, "B": {"required": True, "pattern": "^s3cret"}},
    }

    def write(value: str) -> None:
        put(api, f"/shop/{ENV}/A", value)
        put(api, "/shop/free/F", value)
        secret(api, f"shop/{ENV}/rails", json.dumps({"B": value}))
        vault.call("POST", f"kv/data/shop/{ENV}", {"data": {"C": value}})

    write("s3cret-0")
    write("s3cret-1")
    found = deployer.pin(declaration)
    pins = found.pins
    assert pins
    assert "s3cret" not in pins.manifest + found.identity + "".join(deployer.told)
    # Without them the store would have removed the first version by the end of this test.
    labels.put(deployer.clients, "shop-pins-blue", pins.secrets)
    write("s3cret-2")
    secret(api, f"shop/{ENV}/later", '{"LATER": "s3cret-2"}')
    api.client("ssm").put_parameter(Name=f"/immutable/shop/{ENV}/blue", Value=pins.manifest, Type="String")
    agent.declare(json.dumps(declaration))
    ended = agent.run("--env", ENV, "--manifest", f"/immutable/shop/{ENV}/blue")
    assert ended.code == 0, ended.err
    before = '{\\"B\\": \\"s3cret-0\\"}'
    assert agent.variables().splitlines() == [
        'A="s3cret-1"', 'B="s3cret-1"', f'BEFORE="{before}"', 'C="s3cret-1"', 'F="s3cret-2"',
    ]  # fmt: skip


def test_who_has_a_token_of_vaults_is_not_asked_to_be_a_server(
    deployer: Deployer, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.call("POST", "kv/data/shop/token", {"data": {"A": "1"}})
    files = {"auth": "approle", "role_id_file": "/on/the/server", "secret_id_file": "/on/the/server"}
    declaration = {"sources": [{"vault": "kv/shop/token", "address": vault.address, **files}]}
    with pytest.raises(Refused, match="role_id_file /on/the/server can't be read"):
        deployer.pin(declaration)
    monkeypatch.setenv("VAULT_TOKEN", vault.token)
    assert '"version":1' in deployer.pins(declaration).manifest


def test_another_value_is_another_identity_and_the_same_ones_are_the_same(deployer: Deployer, api: Api) -> None:
    put(api, f"/shop/{ENV}-id/A", "1")
    declaration = {"sources": [{"parameter_store": f"/{{app}}/{ENV}-id/"}]}
    first, again = deployer.pin(declaration), deployer.pin(declaration)
    put(api, f"/shop/{ENV}-id/A", "2")
    changed = deployer.pin(declaration)
    assert first.identity == again.identity != changed.identity
    assert first.identity.partition(".")[0] == changed.identity.partition(".")[0]


def test_a_label_keeps_a_version_for_each_colour_and_goes_with_it(deployer: Deployer, api: Api) -> None:
    name = f"shop/{ENV}/kept"
    declaration = {"sources": [{"secrets_manager": name}]}
    old = secret(api, name, '{"A": "1"}')
    blue = deployer.pins(declaration)
    labels.put(deployer.clients, "shop-pins-blue", blue.secrets)
    new = secret(api, name, '{"A": "2"}')
    green = deployer.pins(declaration)
    for _again in range(2):  # a run that was killed begins anew
        labels.put(deployer.clients, "shop-pins-green", green.secrets)
    assert "shop-pins-blue" in deployer.stages(name)[old]
    assert "shop-pins-green" in deployer.stages(name)[new]
    for _again in range(2):
        labels.take_away(deployer.clients, "shop-pins-blue", blue.manifest)
    assert not any("shop-pins-blue" in stages for stages in deployer.stages(name).values())
    assert "shop-pins-green" in deployer.stages(name)[new]
    labels.put(deployer.clients, "shop-pins-blue", green.secrets)
    newer = secret(api, name, '{"A": "3"}')
    labels.put(deployer.clients, "shop-pins-blue", deployer.pins(declaration).secrets)
    assert [version for version, stages in deployer.stages(name).items() if "shop-pins-blue" in stages] == [newer]


def test_labels_of_secrets_that_are_gone_hold_nothing_up(deployer: Deployer, api: Api) -> None:
    secret(api, f"shop/{ENV}/gone", '{"A": "1"}')
    pins = deployer.pins({"sources": [{"secrets_manager": f"shop/{ENV}/gone"}]})
    api.client("secretsmanager").delete_secret(SecretId=f"shop/{ENV}/gone", ForceDeleteWithoutRecovery=True)
    labels.take_away(deployer.clients, "shop-pins-blue", pins.manifest)
    labels.take_away(deployer.clients, "shop-pins-blue", "no manifest")


def test_all_that_is_wrong_is_said_at_once_and_no_value(deployer: Deployer, api: Api) -> None:
    put(api, f"/shop/{ENV}-wrong/THREADS", "s3cret-many")
    put(api, f"/shop/{ENV}-wrong/PATH", "s3cret")
    declaration = {
        "sources": [{"parameter_store": f"/shop/{ENV}-wrong/"}],
        "keys": {"THREADS": {"type": "integer"}, "DATABASE_URL": {"required": True}},
    }
    with pytest.raises(Refused) as refused:
        deployer.pin(declaration)
    text = str(refused.value)
    assert f"the config stores of {ENV} can't give r1 its configuration" in text
    for words in ("THREADS in parameter_store", "must be an integer", "DATABASE_URL is required", "'PATH' in"):
        assert words in text
    assert "nothing was changed" in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        ("!", "hold no declaration; bake it anew"),
        (base64.b64encode(b"[1").decode(), "hold no declaration; bake it anew"),
        (base64.b64encode(b'{"sources": [{"parameter_store": "no slash"}]}').decode(), "must be a path"),
    ],
)
def test_tags_that_hold_no_declaration(deployer: Deployer, packed: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        deployer.pinned(packed)


def test_a_source_that_is_not_there(deployer: Deployer) -> None:
    with pytest.raises(Refused, match="secrets_manager shop/nothing: there is no such entry"):
        deployer.pin({"sources": [{"secrets_manager": "shop/nothing"}]})


def test_who_may_not_read_is_told_which_right_is_missing(deployer: Deployer, api: Api) -> None:
    arm(api, "denied", {"client": "deployer", "operation": "GetParametersByPath"})
    with pytest.raises(MayNotRead, match="needs leave for ssm:GetParametersByPath"):
        deployer.pin({"sources": [{"parameter_store": "/shop/pins/"}]})


def test_an_image_without_a_declaration_and_one_who_chose_the_versions(deployer: Deployer, api: Api) -> None:
    assert deployer.pinned("").pins is None
    assert "carries no declaration" in deployer.told[0]
    since = len(Client(api, "deployer").calls())
    assert deployer.pinned("unread", ConfigManifest="").pins is None
    assert len(Client(api, "deployer").calls()) == since


def test_sixty_parameters_and_three_secrets_are_read_by_seven_calls(deployer: Deployer, api: Api) -> None:
    for number in range(60):
        put(api, f"/shop/{ENV}-many/K{number}", "v")
    names = [f"shop/{ENV}-many/{number}" for number in range(3)]
    for name in names:
        secret(api, name, "{}")
    sources = [{"parameter_store": f"/shop/{ENV}-many/"}, *({"secrets_manager": name} for name in names)]
    since = len(Client(api, "deployer").calls())
    pins = deployer.pins({"sources": sources})
    assert len(Client(api, "deployer").calls()) - since == 7
    assert len(manifest.read(pins.manifest)) == 4
