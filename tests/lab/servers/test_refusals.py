# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``up`` refuses: one line that says what to do, no traceback, nothing half made."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cli import checks
from lab.cli.machine import Machine
from lab.settings import CHECKOUT, LabError, Settings
from tests import octets

SETTINGS = Settings(octets.SERVERS_REFUSALS)


def refused(**environment: str) -> str:
    """Run ``up``, which must end with one line on standard error; returns that line."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAB_"))}
    done = subprocess.run(
        [sys.executable, "-m", "lab", "up"], cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env={**clean, "LAB_OCTET": str(SETTINGS.octet), **environment},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(autouse=True)
def nothing_is_made(machine: Machine) -> Iterator[None]:
    """``machine``: the images are there, so that a start which is not refused would be quick."""
    yield
    own = Machine(SETTINGS)
    left = own.podman.containers()
    made = own.podman.exists("network", SETTINGS.name)
    own.remove_everything()
    assert (left, made) == ([], False)


def test_a_port_in_use_is_named_and_so_is_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", SETTINGS.api_port)):
        line = refused()
    assert f"port {SETTINGS.api_port}" in line
    assert f"(pid {os.getpid()})" in line


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"])
def test_an_endpoint_that_is_not_the_lab(variable: str) -> None:
    line = refused(**{variable: "https://ec2.eu-west-1.amazonaws.com"})
    assert f"{variable} is https://ec2.eu-west-1.amazonaws.com" in line
    assert "unset it" in line


def test_credentials_of_a_real_account_without_an_endpoint() -> None:
    line = refused(AWS_ACCESS_KEY_ID="AKIA" + "EXAMPLE" * 2)
    assert "AWS_ENDPOINT_URL is not set" in line
    assert "EXAMPLE" not in line


def test_the_labs_own_environment_is_accepted() -> None:
    checks.aws_environment(SETTINGS, {"AWS_ENDPOINT_URL": SETTINGS.api_url, "AWS_ACCESS_KEY_ID": "AKIAX"})


def test_a_network_range_in_use() -> None:
    link = f"lab-test-{SETTINGS.octet}"
    subprocess.run(["ip", "link", "add", link, "type", "bridge"], check=True)
    try:
        subprocess.run(["ip", "address", "add", f"10.{SETTINGS.octet}.7.1/24", "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        line = refused()
    finally:
        subprocess.run(["ip", "link", "delete", link], check=True)
    assert f"{SETTINGS.network} can't be made" in line


def test_a_network_of_that_name_that_is_not_ours() -> None:
    podman = Machine(SETTINGS).podman
    podman.run("network", "create", SETTINGS.name)
    try:
        assert f"the network {SETTINGS.name} belongs to something that is no lab" in refused()
        assert podman.exists("network", SETTINGS.name)
    finally:
        podman.run("network", "rm", SETTINGS.name)


def test_no_podman(tmp_path: Path) -> None:
    for tool in ("ip", "haproxy", "mmdebstrap"):
        found = shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin")
        assert found
        (tmp_path / tool).symlink_to(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "which", lambda name, path="": (tmp_path / name).exists() or None)
        with pytest.raises(LabError, match=r"^podman missing: run make setup"):
            checks.tools()


def test_too_little_disk(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free / 1e9
    with pytest.raises(LabError, match=rf"{free + 1:.1f}: free some"):
        checks.disk(tmp_path, free + 1)
    checks.disk(tmp_path, free / 2)


def test_not_root() -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    pid = os.fork()
    if not pid:
        os.setuid(nobody)
        try:
            checks.root()
        except LabError as error:
            os._exit(3 if "run it with sudo" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


def test_a_low_limit_of_inotify_instances_is_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n")
    checks.watches(limit, 1024)
    assert limit.read_text() == "1024"
    assert "from 128 to 1024" in capsys.readouterr().out


def test_a_limit_that_cannot_be_raised_says_how(tmp_path: Path) -> None:
    class Fixed(type(tmp_path)):  # type: ignore[misc]
        """A file like those of /proc where the kernel says no, to root too."""

        def write_text(self, *_arguments: object, **_options: object) -> int:
            raise PermissionError(30, "Read-only file system")

    limit = Fixed(tmp_path / "max_user_instances")
    Path(limit).write_bytes(b"128\n")
    with pytest.raises(LabError, match=r"sysctl fs.inotify.max_user_instances=1024 \(Read-only file system\)"):
        checks.watches(limit, 1024)
