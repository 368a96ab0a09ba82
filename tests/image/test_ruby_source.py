# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ruby from source, in a scenario of molecule that takes too long for each change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.settings import CHECKOUT


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="containers with systemd need root")
def test_ruby_is_built_from_the_distributions_own_source() -> None:
    molecule = Path(sys.executable).with_name("molecule")
    command = [str(molecule), "-c", "molecule/config.yml", "test", "-s", "ruby_source"]
    path = f"{molecule.parent}:{os.environ['PATH']}"
    done = subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "PATH": path}, check=False)
    assert done.returncode == 0
