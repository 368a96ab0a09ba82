# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``up`` is idempotent and ``down`` leaves nothing behind, also after the API was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.cli import processes
from lab.cli.environment import variables
from lab.cli.machine import Machine
from lab.settings import CHECKOUT, REGION, Settings
from tests import octets


@dataclass
class Lab:
    """A lab of this module's own, by its command line."""

    settings: Settings
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(self.settings)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAB_"))}
        return subprocess.run(
            [sys.executable, "-m", "lab", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False,
            env={**clean, "LAB_OCTET": str(self.settings.octet), **environment},
        )  # fmt: skip

    def ok(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, service: str) -> Any:
        make: Any = boto3.client  # its type wants a name that is known beforehand
        credentials = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
        return make(service, endpoint_url=self.settings.api_url, region_name=REGION, **credentials)

    def launch(self) -> str:
        """Launch an instance through the API, wait until its container runs, and return its id."""
        ec2 = self.client("ec2")
        image = self.client("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")
        launched = ec2.run_instances(
            ImageId=image["Parameter"]["Value"], MinCount=1, MaxCount=1, InstanceType="t3.small"
        )
        instance_id = str(launched["Instances"][0]["InstanceId"])
        ec2.get_waiter("instance_running").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return instance_id


@dataclass(frozen=True)
class Traces:
    """All that a running lab has on this machine."""

    pids: frozenset[int]
    containers: frozenset[str]
    mounts: frozenset[str]
    rules: frozenset[str]
    links: frozenset[str]


def traces(lab: Lab) -> Traces:
    podman, settings = lab.machine.podman, lab.settings
    containers = podman.run("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={settings.name}").split()
    inspected = json.loads(podman.run("container", "inspect", *containers)) if containers else []
    pids = {process.pid for process in processes.find(settings)}
    for item in inspected:
        pids |= {int(item["State"]["Pid"]), int(item["State"]["ConmonPid"])} - {0}
    ids = [str(item["Id"]) for item in inspected] + [
        str(item["GraphDriver"]["Data"]["MergedDir"]) for item in inspected
    ]
    prefix = f"10.{settings.octet}."
    return Traces(
        pids=frozenset(pids),
        containers=frozenset(containers),
        mounts=frozenset(line for line in _lines("/proc/mounts") if any(each in line for each in ids)),
        rules=frozenset(line for line in _output("iptables-save") if prefix in line),
        links=frozenset(line for line in _output("ip", "-brief", "-4", "address") if prefix in line),
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _output(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    # One that has ended and that PID 1 has not yet noticed is no process of ours any more.
    return status.rpartition(")")[2].split()[0] != "Z"


def assert_nothing_left(lab: Lab, before: Traces) -> None:
    after = traces(lab)
    assert (after.containers, after.rules, after.links) == (frozenset(), frozenset(), frozenset())
    assert processes.find(lab.settings) == []
    assert [pid for pid in before.pids if _runs(pid)] == []
    assert before.mounts
    assert [mount for mount in before.mounts if mount in _lines("/proc/mounts")] == []
    assert not lab.machine.podman.exists("network", lab.settings.name)
    assert lab.machine.podman.images(f"{lab.settings.image_prefix}/") == []


@pytest.fixture(scope="module")
def lab(machine: Machine) -> Iterator[Lab]:
    """Nothing runs yet; the images are there because ``machine`` made them."""
    lab = Lab(Settings(octets.SERVERS_LIFECYCLE))
    lab.ok("down")
    yield lab
    lab.ok("down")


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    assert f"ready at {lab.settings.api_url}" in lab.ok("up")
    first = traces(lab)
    assert "runs already" in lab.ok("up")
    assert traces(lab) == first


def test_another_clock_factor_needs_a_new_start(lab: Lab) -> None:
    lab.ok("up")
    refused = lab.run("up", "--clock-factor", "0.5")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "clock factor 0.1, not 0.5" in refused.stderr


def test_env_is_what_a_client_needs(lab: Lab) -> None:
    lab.ok("up")
    caller = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    script = f'{lab.ok("env")}\n{sys.executable} -c "{caller}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout.strip().isdecimal()
    assert set(variables(lab.settings)) <= {word.partition("=")[0] for word in lab.ok("env").split()}


def test_status_shows_a_server_and_logs_its_console(lab: Lab) -> None:
    lab.ok("up")
    instance_id = lab.launch()
    state = json.loads(lab.ok("status", "--json"))
    assert state["running"]
    assert instance_id in [server["id"] for server in state["servers"]]
    assert f"{lab.settings.name}-{instance_id}" in [container["name"] for container in state["containers"]]
    assert instance_id in lab.ok("status")
    assert "systemd" in lab.ok("logs", instance_id)
    refused = lab.run("logs", "nothing")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert instance_id in refused.stderr


def test_down_leaves_nothing_behind(lab: Lab) -> None:
    lab.ok("up")
    lab.launch()
    before = traces(lab)
    assert len(before.containers) >= 2
    assert before.rules
    assert "lab: down" in lab.ok("down")
    assert_nothing_left(lab, before)
    assert lab.ok("down").strip() == "lab: was not running"
    assert lab.run("status").returncode == 1


def _kill_api(lab: Lab) -> None:
    api = processes.api(lab.settings)
    assert api is not None
    os.kill(api.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes.api(lab.settings) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_down_leaves_nothing_behind_after_the_api_was_killed(lab: Lab) -> None:
    lab.ok("up")
    lab.launch()
    before = traces(lab)
    _kill_api(lab)
    assert [process for process in processes.find(lab.settings) if "haproxy" in process.command[0]]
    lab.ok("down")
    assert_nothing_left(lab, before)


def test_up_after_a_crash_starts_afresh(lab: Lab) -> None:
    lab.ok("up")
    instance_id = lab.launch()
    _kill_api(lab)
    said = lab.ok("up")
    assert f"removed what a crash left behind: container {lab.settings.name}-{instance_id}" in said
    assert json.loads(lab.ok("status", "--json"))["servers"] == []


def test_what_the_lab_did_not_start_stays(lab: Lab) -> None:
    lab.ok("up")
    name = "exp-lifecycle-bystander"
    lab.machine.podman.run("run", "--detach", "--name", name, "localhost/immutable-lab/debian-13", "sleep", "600")
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "-m", "lab.api"])
    try:
        lab.ok("down")
        assert other.poll() is None
        assert name in lab.machine.podman.run("ps", "--format", "{{.Names}}").split()
    finally:
        other.kill()
        other.wait()
        lab.machine.podman.run("rm", "--force", "--time", "0", name)
