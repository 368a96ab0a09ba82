# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role config_pull leaves on a server; with real stores the agent is tested in tests/lab/config_pull."""

from __future__ import annotations

from testinfra.host import Host

PROGRAM = "/usr/lib/immutable/config-pull"
UNIT = "config-pull.service"


def test_the_program_and_its_package_are_roots_alone_to_change(host: Host) -> None:
    assert (host.file(PROGRAM).user, host.file(PROGRAM).mode) == ("root", 0o755)
    assert host.check_output("find /usr/lib/immutable ! -user root -o -perm /022 ! -type l") == ""
    assert host.run(f"{PROGRAM} --help").rc == 0


def test_it_is_compiled_at_the_bake(host: Host) -> None:
    sources = host.check_output("find /usr/lib/immutable/python -name '*.py' | wc -l")
    compiled = host.check_output("find /usr/lib/immutable/python -name '*.pyc' | wc -l")
    assert int(sources) == int(compiled) > 20


def test_no_sdk_is_needed(host: Host) -> None:
    assert not host.package("python3-botocore").is_installed
    assert host.package("python3-yaml").is_installed


def test_a_wrong_declaration_ends_the_bake(host: Host) -> None:
    assert host.run(f"{PROGRAM} check-declaration").rc == 0
    wrong = host.run(f"echo 'sources: []' > /tmp/c.yml && {PROGRAM} check-declaration --declaration /tmp/c.yml")
    assert wrong.rc == 10
    assert "sources must be a list" in wrong.stderr


def test_the_unit_is_enabled_and_was_never_started_by_the_bake(host: Host) -> None:
    assert host.service(UNIT).is_enabled
    assert host.check_output(f"systemctl show -P NRestarts -P InvocationID {UNIT}").strip() == "0"


def test_the_unit_is_locked_down(host: Host) -> None:
    level = host.check_output(f"systemd-analyze security --no-pager {UNIT} | tail -n 1")
    assert float(level.split(": ")[1].split()[0]) < 3.0, level


def test_without_metadata_it_ends_in_time_with_its_code_and_the_cause_last(host: Host) -> None:
    failed = host.run(f"systemctl start {UNIT}; systemctl show -P ExecMainStatus {UNIT}")
    assert failed.stdout.strip() == "11"
    last = host.check_output(f"journalctl --unit {UNIT} _COMM=config-pull --output cat -n 1")
    assert "instance metadata meta-data/tags/instance/app at http://169.254.169.254" in last
    assert last.endswith("[instance, exit code 11]")
    assert not host.file("/run/immutable").exists
    host.check_output(f"systemctl reset-failed {UNIT}")
