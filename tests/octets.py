# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lab each part of the tests has for itself; see lab.settings for what follows from an octet.

``TEST_OCTETS`` (default 100) is the first of them: checkouts whose tests run side by side on one machine need bands
that do not overlap, of ``WIDTH`` each.
"""

from __future__ import annotations

import os

WIDTH = 32
FIRST = int(os.environ.get("TEST_OCTETS", "100"))

ALL_FAULTS = (FIRST, FIRST + 1)
FAULTS = (FIRST + 2, FIRST + 3)
BENCH_DEPLOY = FIRST + 4
BENCH_BAKE = BENCH_DEPLOY  # benchmarks run one after the other
BENCH_CONFIG = FIRST + 5
SHOP = FIRST + 6
DEPLOYMENTS = FIRST + 26
IMAGE = FIRST + 7
IMAGE_DEBIAN_12 = FIRST + 27
CONTRACT = FIRST + 8
CONTRACT_SERVERS = FIRST + 9
CONTRACT_FUNCTIONS = FIRST + 10
GATES = FIRST + 11
GUARD = FIRST + 12
LEDGER = FIRST + 13
PERMISSIONS = FIRST + 14
PROGRESS = FIRST + 15
CONFIG_API = FIRST + 16
CONFIG_MACHINE = FIRST + 17
CONFIG_RELEASE = FIRST + 18
SERVERS = FIRST + 19
SERVERS_LIFECYCLE = FIRST + 20
SERVERS_REFUSALS = FIRST + 21
PUBLISHING = FIRST + 22
PIPELINE = FIRST + 24
PIPELINE_MACHINE = FIRST + 25
ASSETS = FIRST + 28
