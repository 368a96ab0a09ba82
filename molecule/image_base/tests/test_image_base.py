# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles image_base and ruby leave on a server."""

from __future__ import annotations

from testinfra.host import Host


def test_the_system_runs_without_a_failed_unit(host: Host) -> None:
    assert host.check_output("systemctl is-system-running") == "running"


def test_nothing_upgrades_or_swaps_by_itself(host: Host) -> None:
    assert 'APT::Periodic::Enable "0"' in host.check_output("apt-config dump APT::Periodic")
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert not host.service(timer).is_enabled and not host.service(timer).is_running
    assert host.check_output("systemctl show -P LoadState swap.target") == "masked"


def test_ssh_takes_keys_only_and_not_for_root(host: Host) -> None:
    settings = set(host.check_output("sshd -T").splitlines())
    assert {"passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no"} <= settings


def test_a_server_without_host_keys_makes_its_own(host: Host) -> None:
    before = host.file("/etc/ssh/ssh_host_ed25519_key.pub").content_string
    host.check_output("rm /etc/ssh/ssh_host_* && systemctl restart ssh")
    assert host.service("ssh").is_running
    assert host.file("/etc/ssh/ssh_host_ed25519_key.pub").content_string != before


def test_time_locale_and_journal(host: Host) -> None:
    assert host.file("/etc/chrony/sources.d/immutable.sources").contains("^server 169.254.169.123 prefer")
    assert host.file("/etc/localtime").linked_to == "/usr/share/zoneinfo/Etc/UTC"
    assert host.file("/etc/default/locale").contains("^LANG=C.UTF-8$")
    assert "SystemMaxUse=200M" in host.check_output("systemd-analyze cat-config systemd/journald.conf")


def test_the_kernel_is_told_what_it_knows(host: Host) -> None:
    """A misspelt name would never be applied. A container can't write them, so they are compared by name."""
    lines = host.file("/etc/sysctl.d/90-immutable.conf").content_string.splitlines()
    names = [line[1:].split(" = ")[0] for line in lines if line.startswith("-")]
    assert len(names) > 30
    # What depends on how a kernel was built may lack on this machine's.
    built_in = [name for name in names if name.startswith(("net.ipv4.", "fs."))]
    missing = [name for name in built_in if not host.file("/proc/sys/" + name.replace(".", "/")).exists]
    assert missing == []


def test_modules_that_no_server_needs_can_not_be_loaded(host: Host) -> None:
    assert host.file("/etc/modprobe.d/immutable.conf").contains("^install usb-storage /bin/false$")


def test_an_agent_is_there_and_starts_with_the_servers_alone(host: Host) -> None:
    assert host.package("cron").is_installed
    assert host.service("cron").is_enabled and not host.service("cron").is_running
    assert host.file("/etc/default/cron").content_string == "EXTRA_OPTS=-L 0\n"


def test_ruby_and_bundler_run(host: Host) -> None:
    wanted = {"13": "3.3.", "12": "3.1."}[host.system_info.release.split(".")[0]]
    assert host.check_output("ruby -e 'print RUBY_VERSION'").startswith(wanted)
    assert host.run("bundle --version").rc == 0
