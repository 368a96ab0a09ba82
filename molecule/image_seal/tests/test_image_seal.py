# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role image_seal leaves on a server; its rules about secrets have tests of their own (tests/unit/roles)."""

from __future__ import annotations

from testinfra.host import Host


def test_nothing_of_the_builder_is_left(host: Host) -> None:
    patterns = (
        "/etc/ssh/ssh_host_* /var/lib/apt/lists/*_* /home/*/.ssh/authorized_keys /root/.ansible /var/log/journal/*"
    )
    assert host.run(f"ls -d {patterns}").stdout == ""
    assert host.file("/etc/machine-id").content_string == ""


def test_services_still_run(host: Host) -> None:
    assert host.check_output("systemctl is-system-running") == "running"
    assert host.service("ssh").is_running


def test_what_was_built_runs_without_what_it_was_built_with(host: Host) -> None:
    assert host.run("/usr/local/bin/built").rc == 0
    for package in ("gcc", "libc6-dev", "libpq-dev"):
        assert not host.package(package).is_installed
    assert host.package("libpq5").is_installed
    assert not host.file("/var/lib/immutable/build-packages").exists
