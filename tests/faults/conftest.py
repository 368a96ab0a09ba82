# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two emulated labs for all tests of the faults."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import octets
from tests.faults.__main__ import prepare
from tests.faults.playbooks import CHECKOUT
from tests.faults.world import Ground

FOLDER = CHECKOUT / "build" / "test" / "faults"


@pytest.fixture(scope="session")
def grounds() -> Iterator[list[Ground]]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ExitStack() as stack:
        yield prepare(stack, FOLDER, octets.FAULTS)
