# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker knows whose it is from its fork on, as Ansible forks them."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.connection import Connection

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.aws.fence import Fence

FORK = multiprocessing.get_context("fork")


def _worker(parent: int, says: Connection) -> None:
    """Comes to the ledger when its parent is gone already."""
    while os.getppid() == parent:
        time.sleep(0.01)
    try:
        Fence(lambda: None).check("Publish")
    except LeaseLost as lost:
        says.send(lost.why)
    else:
        says.send("sent")


def _parent(says: Connection) -> None:
    FORK.Process(target=_worker, args=(os.getpid(), says)).start()
    os._exit(0)


def test_a_worker_whose_parent_went_before_the_ledger_was_opened_writes_nothing() -> None:
    hears, says = FORK.Pipe(duplex=False)
    started = FORK.Process(target=_parent, args=(says,))
    started.start()
    started.join(10)
    assert hears.poll(10)
    assert hears.recv() == f"the process that started this one (pid {started.pid}) is gone"


def test_one_whose_parent_is_there_may_write() -> None:
    Fence(lambda: None).check("Publish")
    with pytest.raises(LeaseLost, match="does not hold"):
        Fence(lambda: None).check("UpdateStack")
