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
from typing import Any

import pytest

from lab.demo.journal import DemoError
from lab.demo.scenario import APP, ENVS
from lab.podman import Podman
from lab.settings import CHECKOUT
from tests import octets
from tests.faults.world import until
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

    def servers(self, env: str, colour: str = "*") -> list[str]:
        """The containers of the env's servers, the newest first."""
        wanted = {"tag:env": env, "tag:colour": colour, "instance-state-name": "running"}
        filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
        found = self.own.cloud.ec2.describe_instances(Filters=filters)["Reservations"]  # type: ignore[arg-type]
        instances = [instance for reservation in found for instance in reservation["Instances"]]
        instances.sort(key=lambda instance: instance["LaunchTime"], reverse=True)
        return [f"{self.own.settings.name}-{instance['InstanceId']}" for instance in instances]

    def run(self, env: str, command: str) -> str:
        """What a command printed on the env's newest server."""
        return self.on(self.servers(env)[0], command)

    def on(self, server: str, command: str) -> str:
        """What a command printed on a server."""
        return Podman(self.own.settings.run_dir).run("exec", server, "sh", "-c", command)

    def got(self, server: str) -> dict[str, str]:
        """The variables of the app on a server."""
        environ = self.on(server, "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID app-web)/environ")
        return dict(line.split("=", 1) for line in environ.splitlines() if "=" in line)

    def deploy(self, env: str, **extra: str) -> dict[str, Any]:
        """Deploys the release once more."""
        return self.own.commands.playbook(
            "deploy", f"deploy-{env}", env=env, image=self.own.scenario.releases[1], **extra
        )


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
    got = deployed.got(deployed.servers(env)[0])
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


def test_what_changes_in_the_stores_is_another_colours_and_servers_that_start_meanwhile_do_not_see_it(
    deployed: Deployed, vault: Vault
) -> None:
    env, own = ENVS[0], deployed.own
    before = deployed.stored[env]
    after = {**before, "SECRET_KEY_BASE": "f" * 128, "REDIS_URL": f"{before['REDIS_URL'].rsplit('/', 1)[0]}/9"}
    own.cloud.secrets.put_secret_value(
        SecretId=f"{APP}/{env}/rails", SecretString=json.dumps({"SECRET_KEY_BASE": after["SECRET_KEY_BASE"]})
    )
    vault.call("POST", f"kv/data/{APP}/{env}", {"data": {"REDIS_URL": after["REDIS_URL"]}})

    # Scaled out next week: exactly what the servers beside it have.
    live = _live(deployed, env)
    (group,) = own.cloud.scaling.describe_auto_scaling_groups(
        Filters=[{"Name": "tag:env", "Values": [env]}, {"Name": "tag:colour", "Values": [live]}]
    )["AutoScalingGroups"]
    own.cloud.scaling.set_desired_capacity(AutoScalingGroupName=group["AutoScalingGroupName"], DesiredCapacity=2)
    until(lambda: len(deployed.servers(env, live)) == 2, "a second server", 60)
    newest = deployed.servers(env, live)[0]
    until(lambda: _answers(deployed, newest), "the second server's app answers", 120)
    assert _chosen(deployed.got(newest), before) == before

    # A deployment of what is there already does not look at the stores; one that is asked to does.
    assert deployed.deploy(env)["result"] == "nothing_to_do"
    refreshed = deployed.deploy(env, refresh="config")
    assert refreshed["result"] == "deployed"
    assert refreshed["live"] != live
    assert _chosen(deployed.got(deployed.servers(env, refreshed["live"])[0]), after) == after
    assert deployed.deploy(env, refresh="config")["result"] == "nothing_to_do"
    assert _labels(deployed, env) == {f"{APP}-{env}-{colour}" for colour in ("blue", "green")}

    # The old colour's versions are kept as long as it can come back.
    own.commands.playbook("retire", "retire", env=env, immediate=True)
    assert _labels(deployed, env) == {f"{APP}-{env}-{refreshed['live']}"}
    other = ENVS[1]
    assert _chosen(deployed.got(deployed.servers(other)[0]), before) == deployed.stored[other]


def test_stores_that_do_not_fit_are_said_before_anything_is_changed_and_no_value_is(deployed: Deployed) -> None:
    env, own = ENVS[1], deployed.own
    own.cloud.parameters.put_parameter(Name=f"/{APP}/{env}/SURPRISE", Value="s3cret", Type="SecureString")
    before = own.cloud.everything()
    for playbook, extra in (("config_check", {}), ("deploy", {"refresh": "config"})):
        with pytest.raises(DemoError) as refused:
            own.commands.playbook(playbook, playbook, env=env, image=own.scenario.releases[1], **extra)
        assert f"SURPRISE in parameter_store /{APP}/{env}/ is not declared" in str(refused.value)
    assert own.cloud.everything() == before
    own.cloud.parameters.delete_parameter(Name=f"/{APP}/{env}/SURPRISE")
    checked = own.commands.playbook("config_check", "config_check", env=env, image=own.scenario.releases[1])
    assert {entry["key"] for entry in checked["keys"]} == set(deployed.stored[env])
    logs = "".join(file.read_text() for file in (FOLDER / "logs").iterdir())
    secrets = [value for stored in deployed.stored.values() for value in stored.values()]
    assert not [secret for secret in (*secrets, "s3cret") if secret in logs]


def _live(deployed: Deployed, env: str) -> str:
    status = deployed.own.commands.playbook("status", "status", env=env)
    return str(status["environment"]["live"])


def _chosen(got: dict[str, str], keys: dict[str, str]) -> dict[str, str]:
    return {key: got[key] for key in keys}


def _answers(deployed: Deployed, server: str) -> bool:
    return deployed.on(server, "systemctl is-active nginx || true").strip() == "active"


def _labels(deployed: Deployed, env: str) -> set[str]:
    """The colours' labels on the versions of the env's secret."""
    stages = deployed.own.cloud.secrets.describe_secret(SecretId=f"{APP}/{env}/rails")["VersionIdsToStages"]
    return {label for labels in stages.values() for label in labels if not label.startswith("AWS")}


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
