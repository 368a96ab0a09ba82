# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is a snapshot of a server, and boots as a new one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from lab.cli.machine import Machine
from lab.servers.podman import PodmanServers
from tests.lab.servers.conftest import Ssh

Launch = Callable[..., str]
BUILDER = f"i-{11:017x}"
IMAGE = "ami-00000000000000001"
#: What the role image_seal does for these two.
SEAL = "sudo sh -c 'rm /etc/ssh/ssh_host_*; : > /etc/machine-id'; rm -r .ssh"


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_two_servers_of_an_image_have_its_files_and_their_own_identity(
    launch: Launch, ssh: Ssh, servers: PodmanServers, stopped: bool
) -> None:
    builder = launch(11)
    ssh(builder, f"echo baked | sudo tee /srv/release; {SEAL}")
    if stopped:
        servers.stop(BUILDER)
    servers.snapshot(BUILDER, IMAGE)
    servers.terminate(BUILDER)

    one, two = launch(12, IMAGE), launch(13, IMAGE)
    assert ssh(one, "cat /srv/release") == ssh(two, "cat /srv/release") == "baked"
    assert ssh(one, "systemctl is-system-running --wait") == "running"
    identities = [ssh(address, "cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub") for address in (one, two)]
    ids, keys = zip(*(identity.splitlines() for identity in identities), strict=True)
    assert all(len(machine_id) == 32 for machine_id in ids)
    assert len(set(ids)) == len(set(keys)) == 2


def test_an_image_holds_nothing_of_the_lab(launch: Launch, ssh: Ssh, servers: PodmanServers, machine: Machine) -> None:
    ssh(launch(11), "true")
    servers.snapshot(BUILDER, IMAGE)
    image = f"{machine.settings.image_prefix}/{IMAGE}"
    config = json.loads(machine.podman.run("image", "inspect", image))[0]["Config"]
    assert [entry for entry in config.get("Env", []) if "AWS" in entry] == []
    mounted = machine.podman.run("image", "mount", image).strip()
    try:
        found = subprocess.run(
            ["grep", "-rlE", "AWS_ENDPOINT_URL|:1338", f"{mounted}/etc", f"{mounted}/run", f"{mounted}/home"],
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
    finally:
        machine.podman.run("image", "unmount", image)
    assert found == ""


def test_a_copy_outlives_its_source_and_a_server_outlives_its_image(
    launch: Launch, ssh: Ssh, servers: PodmanServers
) -> None:
    ssh(launch(11), "touch here")
    servers.snapshot(BUILDER, IMAGE)
    copy = "ami-00000000000000002"
    servers.copy_image(IMAGE, copy)
    servers.remove_image(IMAGE)
    servers.remove_image(IMAGE)
    address = launch(12, copy)
    assert ssh(address, "ls here") == "here"
    servers.remove_image(copy)
    assert ssh(address, "ls here") == "here"


def test_a_removed_image_leaves_nothing_once_no_server_runs_from_it(
    launch: Launch, servers: PodmanServers, machine: Machine
) -> None:
    def stored() -> set[str]:
        return set(machine.podman.run("images", "--all", "--quiet", "--no-trunc").split())

    before = stored()
    launch(11)
    servers.snapshot(BUILDER, IMAGE)
    servers.terminate(BUILDER)
    launch(12, IMAGE)
    servers.remove_image(IMAGE)
    assert len(stored() - before) == 1, "a server still runs from it"
    servers.terminate(f"i-{12:017x}")
    assert stored() == before
