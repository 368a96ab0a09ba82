# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and prints as JSON what it took, with all that it waited for: ``cost.py COMMAND…``.

Its output goes where its errors go. A process of its own, since a command's peak of memory begins with that of the
process which started it.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(command: list[str]) -> None:
    start = time.perf_counter()
    to_errors = [(os.POSIX_SPAWN_DUP2, 2, 1)]
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=to_errors)
    _pid, status, usage = os.wait4(pid, 0)
    cost = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "code": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(sys.argv[1:])
