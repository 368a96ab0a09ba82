# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers in a lab of the tests' own, beside one that someone may be working with."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.cli.machine import Machine
from lab.rootfs import base, stores_image
from lab.servers.interface import LaunchSpec
from lab.servers.podman import DISTRIBUTION, PodmanServers
from lab.settings import LOGIN_USER, Settings
from tests import octets

OCTET = octets.SERVERS
BOOT_SECONDS = 30


@dataclass(frozen=True)
class Ssh:
    """The login user's shell on a server, by its private address."""

    key: Path

    @property
    def public_key(self) -> str:
        return self.key.with_suffix(".pub").read_text()

    def __call__(self, address: str, command: str) -> str:
        """Run a command once the server takes logins, and return what it printed."""
        deadline = time.monotonic() + BOOT_SECONDS
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=2"]
        call = ["ssh", "-i", str(self.key), *(f"-o{option}" for option in options), f"{LOGIN_USER}@{address}", command]
        while True:
            result = subprocess.run(call, capture_output=True, text=True, check=False)
            if result.returncode != 255:  # ssh's own code for "no connection"
                assert result.returncode == 0, result.stderr
                return result.stdout.strip()
            assert time.monotonic() < deadline, f"{address} took no login within {BOOT_SECONDS} s: {result.stderr}"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def settings() -> Settings:
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    return Settings(OCTET)


@pytest.fixture(scope="session")
def machine(settings: Settings) -> Iterator[Machine]:
    """A lab's network and images, without its API."""
    machine = Machine(settings)
    machine.remove_everything()
    base.ensure(machine.podman, settings.run_dir)
    machine.make_network()
    stores_image.ensure(machine.podman, settings)
    yield machine
    machine.remove_everything()


@pytest.fixture
def servers(machine: Machine) -> Iterator[PodmanServers]:
    servers = PodmanServers(machine.settings.run_dir, machine.settings)
    yield servers
    servers.close()
    servers.remove_images()


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Ssh:
    key = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return Ssh(key)


@pytest.fixture
def launch(servers: PodmanServers, settings: Settings, ssh: Ssh) -> Callable[..., str]:
    """Launch a server with a number, from an image; returns its address."""

    def launch(number: int, image_id: str = DISTRIBUTION) -> str:
        address = f"10.{settings.octet}.16.{number}"
        servers.launch(LaunchSpec(f"i-{number:017x}", image_id, address, ssh.public_key, None, LOGIN_USER))
        return address

    return launch
