# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server is a machine: it boots, has the address it was given, takes a login, and can be stopped and started."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.cli.machine import Machine
from lab.servers.errors import ServersError
from lab.servers.interface import LaunchSpec
from lab.servers.podman import DISTRIBUTION, PodmanServers
from lab.settings import LOGIN_USER, Settings
from tests.lab.servers.conftest import OCTET, Ssh

Launch = Callable[..., str]
FIRST = f"i-{11:017x}"


def test_a_server_boots_with_its_address_and_takes_the_login_users_key(launch: Launch, ssh: Ssh) -> None:
    address = launch(11)
    assert ssh(address, "systemctl is-system-running --wait") == "running"
    assert address in ssh(address, "ip -brief -4 address show dev eth0")
    assert ssh(address, "hostname") == f"ip-{address.replace('.', '-')}"
    assert ssh(address, "whoami; sudo --non-interactive whoami") == f"{LOGIN_USER}\nroot"
    assert ssh(address, "stat -c '%a %U' .ssh .ssh/authorized_keys") == f"700 {LOGIN_USER}\n600 {LOGIN_USER}"


def test_its_units_know_where_aws_is(launch: Launch, ssh: Ssh, settings: Settings) -> None:
    seen = ssh(launch(11), "sudo systemd-run --quiet --wait --pipe env").splitlines()
    assert f"AWS_ENDPOINT_URL={settings.api_url_for_servers}" in seen
    assert f"AWS_EC2_METADATA_SERVICE_ENDPOINT={settings.metadata_url}" in seen


def test_a_units_sandbox_holds(launch: Launch, ssh: Ssh) -> None:
    probe = "sudo systemd-run --quiet --wait --pipe -p ProtectSystem=strict sh -c 'touch /etc/x || echo refused'"
    assert ssh(launch(11), probe) == "refused"


def test_a_stopped_server_keeps_its_disk_and_its_identity(launch: Launch, ssh: Ssh, servers: PodmanServers) -> None:
    address = launch(11)
    before = ssh(address, "touch kept; cat /etc/machine-id; cat /etc/ssh/ssh_host_*.pub")
    servers.stop(FIRST)
    assert servers.running() == set()
    servers.start(FIRST)
    assert servers.running() == {FIRST}
    assert ssh(address, "cat /etc/machine-id; cat /etc/ssh/ssh_host_*.pub; ls kept") == f"{before}\nkept"


def test_a_terminated_server_is_gone_and_its_address_free(launch: Launch, ssh: Ssh, servers: PodmanServers) -> None:
    ssh(launch(11), "true")
    servers.terminate(FIRST)
    servers.terminate(FIRST)
    assert servers.running() == set()
    assert ssh(launch(11), "whoami") == LOGIN_USER


def test_the_console_tells_of_the_boot(launch: Launch, ssh: Ssh, servers: PodmanServers) -> None:
    ssh(launch(11), "systemctl is-system-running --wait")
    assert "Reached target" in servers.console_output(FIRST)


def test_the_journal_is_no_part_of_the_console(launch: Launch, ssh: Ssh, servers: PodmanServers) -> None:
    """What a unit logs is seen from outside only where the unit says so."""
    address = launch(11)
    ssh(address, "sudo systemd-run --wait echo to-the-journal")
    ssh(address, "sudo systemd-run --wait --property=StandardOutput=journal+console echo to-both")
    assert "to-the-journal" in servers.journal(FIRST) and "to-both" in servers.journal(FIRST)
    console = servers.console_output(FIRST)
    assert "to-both" in console and ": to-the-journal" not in console


def test_an_image_that_does_not_exist_is_refused_and_nothing_is_left(servers: PodmanServers) -> None:
    spec = LaunchSpec(FIRST, "ami-0123456789abcdef0", f"10.{OCTET}.16.11", None, None, LOGIN_USER)
    with pytest.raises(ServersError, match="ami-0123456789abcdef0"):
        servers.launch(spec)
    servers.terminate(FIRST)
    assert servers.running() == set()


def test_a_launch_that_fails_leaves_no_container(
    launch: Launch, ssh: Ssh, servers: PodmanServers, machine: Machine
) -> None:
    address = launch(11)
    with pytest.raises(ServersError, match=r"podman (create|start) failed"):
        servers.launch(LaunchSpec(f"i-{12:017x}", DISTRIBUTION, address, ssh.public_key, None, LOGIN_USER))
    assert machine.podman.containers() == [f"{machine.settings.name}-{FIRST}"]
