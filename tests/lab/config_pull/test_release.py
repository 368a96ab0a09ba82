# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From end to end: one image of the Rails app gets its configuration from three stores, another one in each env."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.demo.scenario import APP, ENVS
from lab.podman import Podman
from lab.settings import CHECKOUT
from tests import octets
from tests.lab.config_pull.proxy import between
from tests.own_lab import OwnLab
from tests.vault.server import Vault

FOLDER = CHECKOUT / "build" / "test" / "config-pull"
VAULT_PORT = 8200
DECLARATION = """\
sources:
  - {{parameter_store: "/{{app}}/{{env}}/"}}
  - {{secrets_manager: "{{app}}/{{env}}/rails"}}
  - {{vault: "kv/{{app}}/{{env}}", address: "{vault}", auth: aws_iam, role: shop, server_id: vault.lab}}
keys:
  DATABASE_URL: {{required: true, secret: true, pattern: "^postgres"}}
  REDIS_URL: {{required: true, secret: true, pattern: "^redis"}}
  SECRET_KEY_BASE: {{required: true, secret: true}}
strict: true
"""


@dataclass(frozen=True)
class Deployed:
    """The lab with the app in both envs, and what each env's stores hold."""

    own: OwnLab
    stored: dict[str, dict[str, str]]

    def server(self, env: str) -> str:
        """The container of the env's one server."""
        filters = [{"Name": "tag:env", "Values": [env]}, {"Name": "instance-state-name", "Values": ["running"]}]
        found = self.own.cloud.ec2.describe_instances(Filters=filters)["Reservations"]  # type: ignore[arg-type]
        ids = [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
        return f"{self.own.settings.name}-{ids[0]}"

    def run(self, env: str, command: str) -> str:
        """What a command printed on that server."""
        podman = Podman(self.own.settings.run_dir)
        return podman.run("exec", self.server(env), "sh", "-c", command)


#: Bakes an image and makes two envs with three stores each: run by `make test-long`.
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def deployed(vault: Vault) -> Iterator[Deployed]:
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = OwnLab(octets.CONFIG_RELEASE, FOLDER)
    with ExitStack() as stack:
        stack.callback(own.stop)
        own.start()
        # Servers reach it as they reach AWS: by the address of the lab's network that is this machine's.
        gateway = (own.settings.gateway, VAULT_PORT)
        stack.enter_context(between(vault.address, gateway))
        stored = {env: _in_three_stores(own, vault, env) for env in ENVS}
        source = FOLDER / "release-1" / "config" / "immutable.yml"
        source.write_text(DECLARATION.format(vault=f"http://{gateway[0]}:{gateway[1]}"))
        own.scenario.bake_base()
        own.scenario.bake(1)
        for env in ENVS:
            own.scenario.make_edge(env)
            own.scenario.deploy(env, 1)
        yield Deployed(own, stored)


def _in_three_stores(own: OwnLab, vault: Vault, env: str) -> dict[str, str]:
    """Move the env's REDIS_URL from the Parameter Store to Vault; returns what the stores hold now."""
    found = own.cloud.parameters.get_parameters_by_path(Path=f"/{APP}/{env}", WithDecryption=True)["Parameters"]
    values = {parameter["Name"].rsplit("/", 1)[-1]: parameter["Value"] for parameter in found}
    vault.call("POST", f"kv/data/{APP}/{env}", {"data": {"REDIS_URL": values["REDIS_URL"]}})
    own.cloud.parameters.delete_parameter(Name=f"/{APP}/{env}/REDIS_URL")
    secret: dict[str, str] = json.loads(
        own.cloud.secrets.get_secret_value(SecretId=f"{APP}/{env}/rails")["SecretString"]
    )
    return values | secret


@pytest.mark.parametrize("env", ENVS)
def test_the_app_gets_what_its_envs_stores_hold(deployed: Deployed, env: str) -> None:
    environ = deployed.run(env, "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID app-web)/environ")
    got = dict(line.split("=", 1) for line in environ.splitlines() if "=" in line)
    assert {key: got[key] for key in deployed.stored[env]} == deployed.stored[env]
    assert set(deployed.stored[env]) == {"DATABASE_URL", "REDIS_URL", "SECRET_KEY_BASE"}
    # It answers only with its database and its Redis.
    with urllib.request.urlopen(f"{deployed.own.cloud.url(APP, env)}/up", timeout=10) as answer:
        assert answer.status == 200


def test_the_envs_differ_in_every_value_and_share_the_image(deployed: Deployed) -> None:
    first, second = (deployed.stored[env] for env in ENVS)
    assert all(first[key] != second[key] for key in first)
    images = {
        instance["ImageId"]
        for reservation in deployed.own.cloud.ec2.describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
        )["Reservations"]
        for instance in reservation["Instances"]
    }
    assert len(images) == 1


@pytest.mark.parametrize("env", ENVS)
def test_each_value_is_from_its_own_store(deployed: Deployed, env: str) -> None:
    program = "/usr/lib/immutable/config-pull check --json"
    told = deployed.run(env, f"systemctl show-environment | {{ set -a; . /dev/stdin; {program}; }}")
    assert {entry["key"]: entry["source"] for entry in json.loads(told)} == {
        "DATABASE_URL": f"parameter_store /{APP}/{env}/",
        "REDIS_URL": f"vault kv/{APP}/{env}",
        "SECRET_KEY_BASE": f"secrets_manager {APP}/{env}/rails",
    }
    assert not any(value in told for value in deployed.stored[env].values())


def test_a_server_without_its_configuration_binds_no_port(deployed: Deployed, vault: Vault) -> None:
    env = ENVS[0]
    vault.call("PUT", "sys/seal")
    try:
        deployed.run(env, "mkdir -p /run/systemd/system/config-pull.service.d")
        shorter = "[Service]\\nExecStart=\\nExecStart=/usr/lib/immutable/config-pull --tag --deadline 3\\n"
        deployed.run(env, f"printf '{shorter}' > /run/systemd/system/config-pull.service.d/short.conf")
        # As a boot does: everything that hangs on it is stopped, then asked to start.
        again = "systemctl stop nginx app-web config-pull; systemctl start nginx"
        deployed.run(env, f"systemctl daemon-reload; {again}; true")
        listening = deployed.run(env, "ss -Hltn | awk '{print $4}'").split()
        assert {address.rsplit(":", 1)[1] for address in listening} == {"22"}
        last = deployed.run(env, "journalctl --unit config-pull _COMM=config-pull --output=cat -n 1")
        assert "Vault is sealed" in last
    finally:
        vault.call("PUT", "sys/unseal", {"key": vault.key})
