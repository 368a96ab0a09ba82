# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real processes that are stopped, or lose their parent: nothing they try later is written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from tests.lab.contract.support import CHECKOUT, wait_for
from tests.lab.ledger.support import Table

Process = subprocess.Popen[str]
_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'tests.lab.ledger.writer', *sys.argv[1:]])"


def start(*command: str) -> Process:
    return subprocess.Popen(
        [sys.executable, *command], cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.fixture
def stopped(table: Table) -> Iterator[Process]:
    """A process with a lease of two seconds."""
    process = start("-m", "tests.lab.ledger.writer", table.url, table.name, "2")
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def parent(table: Table) -> Iterator[Process]:
    """A process whose child has a lease of an hour."""
    process = start("-c", _PARENT, table.url, table.name, "3600")
    yield process
    process.kill()
    process.communicate()


def hears(process: Process) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def tell(process: Process, line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def written(table: Table) -> list[str]:
    """What the processes of this table's test wrote."""
    topics = table.clients().sns.list_topics()["Topics"]
    names = [topic["TopicArn"].rpartition(":")[2] for topic in topics]
    return [name.removeprefix(f"{table.name}-") for name in names if name.startswith(f"{table.name}-")]


def test_a_process_that_was_stopped_past_its_lease_writes_nothing_after(table: Table, stopped: Process) -> None:
    hears(stopped)
    tell(stopped, "first")
    assert hears(stopped) == "wrote"
    stopped.send_signal(signal.SIGSTOP)
    wait_for(lambda: "T (stopped)" in status(stopped.pid), "the process stands still")
    tell(stopped, "second")
    lease = table.controller("bob").read().lease
    assert lease
    wait_for(lambda: clock.now() > lease.until, "the lease is over")
    stopped.send_signal(signal.SIGCONT)
    assert re.match(r"the deployment lock's lease ran out \d+\.\d s ago.* CreateTopic was not sent", hears(stopped))
    assert written(table) == ["first"]


def test_a_process_whose_parent_was_killed_writes_nothing_after(table: Table, parent: Process) -> None:
    worker = int(hears(parent).rpartition(" ")[2])
    tell(parent, "first")
    assert hears(parent) == "wrote"
    parent.kill()
    parent.wait()
    wait_for(lambda: f"PPid:\t{parent.pid}\n" not in status(worker), "the worker has lost its parent")
    tell(parent, "second")
    said = f"the process that started this one (pid {parent.pid}) is gone; CreateTopic was not sent"
    assert hears(parent).startswith(said)
    assert written(table) == ["first"]


def test_a_process_whose_parent_was_killed_gives_the_lock_back(table: Table, parent: Process) -> None:
    hears(parent)
    parent.kill()
    parent.wait()
    tell(parent, "any")
    hears(parent)
    assert table.controller("bob").read().lease is None


def status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()
