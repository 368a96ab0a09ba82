# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every server of an image must be, whatever runs on it. immutable.ec2.ami_publish runs them."""

from __future__ import annotations

import typing as t

APP_UNITS = ("config-pull", "app-release", "app-web", "nginx")


def failed_units(host: t.Any) -> set[str]:
    lines = host.check_output("systemctl list-units --state=failed --plain --no-legend").splitlines()
    return {line.split()[0].removesuffix(".service") for line in lines}


def listening(host: t.Any) -> set[str]:
    """Ports that can be reached from outside."""
    addresses = {line.split()[3] for line in host.check_output("ss -Hltn").splitlines()}
    inside = ("127.", "[::1]", "[::ffff:127.")
    return {address.rsplit(":", 1)[1] for address in addresses if not address.startswith(inside)}


def test_every_unit_that_needs_no_configuration_is_up(host: t.Any) -> None:
    # Without a configuration the app's own can't be.
    own = {unit for unit in failed_units(host) if unit in APP_UNITS or unit.startswith("app-")}
    assert failed_units(host) - own == set()


def test_ssh_takes_keys_only(host: t.Any) -> None:
    settings = host.check_output("sshd -T").splitlines()
    assert "passwordauthentication no" in settings
    assert "permitrootlogin no" in settings


def test_the_server_is_somebody_of_its_own(host: t.Any) -> None:
    """Host keys and machine-id are made at the boot, not in the image."""
    booted = int(host.check_output("stat -c %Y /proc/1"))
    for path in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        made = int(host.check_output(f"stat -c %Y {path}"))
        assert made >= booted - 60, f"{path} is older than the server"


def test_no_login_of_the_builder_is_left(host: t.Any) -> None:
    """The only keys are those of this server's launch."""
    keys = host.run("cat /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys").stdout.splitlines()
    allowed = {line.split()[1] for line in keys if line.startswith(("ssh-", "ecdsa-"))}
    assert len(allowed) == 1, f"{len(allowed)} keys may log in, and one was given at the launch"
