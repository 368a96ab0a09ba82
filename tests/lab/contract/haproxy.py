# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer's process as its runtime socket shows it."""

from __future__ import annotations

import re
import socket

from tests.lab.contract.support import Api


def pid(api: Api) -> str:
    """The process that serves now: another one after a reload."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(api.run_dir / "haproxy" / "haproxy.sock"))
        channel.sendall(b"show info\n")
        found = re.search(rb"^Pid: (\d+)$", channel.makefile("rb").read(), re.MULTILINE)
    assert found
    return found[1].decode()
