# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot on a full disk is one typed error; the server goes on and no half image stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cli.machine import Machine
from lab.podman import Podman
from lab.servers.errors import OutOfSpaceError
from lab.servers.interface import LaunchSpec
from lab.servers.podman import DISTRIBUTION, PodmanServers
from lab.settings import BASE_IMAGE, LOGIN_USER

MEGABYTE = 1 << 20
SERVER = f"i-{21:017x}"
IMAGE = "ami-00000000000000021"


@pytest.fixture
def small_disk(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """podman's storage on a disk of 700 MB that holds the distribution's image and nothing else."""
    image = tmp_path / "base.tar"
    machine.podman.run("save", "--output", str(image), BASE_IMAGE)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", str(disk)], check=True)
    conf = tmp_path / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{disk}/root"\nrunroot = "{disk}/run"\n')
    with monkeypatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(conf))
        own = Podman(machine.settings.run_dir)
        own.run("load", "--input", str(image))
        image.unlink()
        yield disk
        own.attempt("rm", "--force", "--all", "--time", "0")
        # podman keeps the overlay folder mounted for itself.
        subprocess.run(["umount", str(disk / "root" / "overlay")], check=False, capture_output=True)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_snapshot_without_space_is_refused_in_one_line(small_disk: Path, machine: Machine) -> None:
    servers = PodmanServers(machine.settings.run_dir, machine.settings)
    address = f"10.{machine.settings.octet}.16.21"
    servers.launch(LaunchSpec(SERVER, DISTRIBUTION, address, None, None, LOGIN_USER))
    container = f"{machine.settings.name}-{SERVER}"
    podman = Podman(machine.settings.run_dir)
    podman.run("exec", container, "dd", "if=/dev/urandom", "of=/srv/big", "bs=1M", "count=150")
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - 50 * MEGABYTE)

    with pytest.raises(OutOfSpaceError, match=r"^podman commit failed: [^\n]*free some disk space"):
        servers.snapshot(SERVER, IMAGE)
    assert not podman.exists("image", f"{machine.settings.image_prefix}/{IMAGE}")
    assert servers.running() == {SERVER}

    ballast.unlink()
    servers.snapshot(SERVER, IMAGE)
    assert podman.exists("image", f"{machine.settings.image_prefix}/{IMAGE}")
