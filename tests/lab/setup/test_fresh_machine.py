# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make setup` in a clone, on a Debian 12 that has Python, make, git and sudo, and nothing else that it needs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.podman import Podman

pytestmark = pytest.mark.long

CHECKOUT = Path(__file__).parents[3]
IMAGE = "localhost/immutable-lab-test/debian-12:fresh"
CONTAINER = "immutable-lab-test-fresh"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PREPARE = """
git config --system --add safe.directory '*'
for user in admin guest; do
  useradd --create-home $user
  su $user -c 'git clone --quiet /checkout ~/ec2'
done
echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
"""

Shell = Callable[[str], subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Runs a script as root on the fresh machine."""
    folder = tmp_path_factory.mktemp("fresh")
    podman = Podman(folder)
    include = "--include=python3,make,git,sudo,ca-certificates"
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", include, "bookworm", folder / "root.tar"], check=True)
    podman.run("import", "--quiet", str(folder / "root.tar"), IMAGE)
    # Whom this machine trusts, the fresh one trusts too: its packages may come through a proxy of its own.
    volumes = ["--volume", f"{CHECKOUT}:/checkout:ro", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    trust = [f"--env={name}={CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    podman.run("run", "--detach", "--name", CONTAINER, "--network=host", *volumes, *trust, IMAGE, "sleep", "1800")
    try:

        def run(script: str) -> subprocess.CompletedProcess[bytes]:
            return podman.attempt("exec", CONTAINER, "bash", "-c", script)

        assert run(PREPARE).returncode == 0
        yield run
    finally:
        podman.attempt("rm", "--force", "--time=0", CONTAINER)
        podman.attempt("rmi", "--force", IMAGE)


def as_user(user: str, command: str) -> str:
    return f"su {user} --whitelist-environment=PIP_CERT,SSL_CERT_FILE -c 'cd ~/ec2 && {command}'"


def test_says_what_to_do_without_root_or_sudo(shell: Shell) -> None:
    result = shell(as_user("guest", "make setup"))
    assert result.returncode != 0
    assert "Run as root: apt-get install --no-install-recommends aardvark-dns" in result.stderr.decode()


def test_installs_with_sudo_and_then_has_nothing_to_do(shell: Shell) -> None:
    first = shell(as_user("admin", "make setup"))
    assert first.returncode == 0, first.stderr.decode()
    assert b"installing Debian packages" in first.stdout
    second = shell(as_user("admin", "timeout 5 make setup"))
    assert (second.returncode, second.stdout, second.stderr) == (0, b"", b"")


def test_links_the_checkout_as_the_collection(shell: Shell) -> None:
    shell(as_user("admin", "make setup"))
    result = shell(as_user("admin", ".venv/bin/ansible-doc --type module --list immutable.ec2"))
    assert "immutable.ec2.blue_green " in result.stdout.decode()
