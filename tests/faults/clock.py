# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of deployments: it passes quickly where they sleep, and no quicker than the real one where they work.

So a lease is not lost because the machine is busy. All controllers of an env share one clock: a file with the seconds
that their sleeps were shortened by.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_SECONDS = struct.Struct("d")


def start(path: Path) -> None:
    """A clock that shows the real time."""
    path.write_bytes(_SECONDS.pack(0.0))


def use(path: Path, speed: float) -> None:
    """Lets the deployment's clock in this process, and in those that it forks, be that of the file.

    Args:
        path: the file.
        speed: how much shorter than wanted each sleep is.
    """
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock

    file = os.open(path, os.O_RDWR)
    shown = mmap.mmap(file, _SECONDS.size)

    def ahead() -> float:
        return float(_SECONDS.unpack_from(shown)[0])

    def sleep(seconds: float) -> None:
        time.sleep(seconds / speed)
        fcntl.lockf(file, fcntl.LOCK_EX)
        _SECONDS.pack_into(shown, 0, ahead() + seconds - seconds / speed)
        fcntl.lockf(file, fcntl.LOCK_UN)

    clock.now = lambda: datetime.fromtimestamp(time.time() + ahead(), UTC)
    clock.monotonic = lambda: time.monotonic() + ahead()
    clock.boottime = lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + ahead()
    clock.sleep = sleep
