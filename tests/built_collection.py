# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab.settings import CHECKOUT


def build(folder: Path) -> Path:
    """The tarball that `ansible-galaxy collection build` makes of this checkout, in the folder."""
    galaxy = [sys.executable, "-m", "ansible", "galaxy"]
    subprocess.run([*galaxy, "collection", "build", str(CHECKOUT), "--output-path", str(folder)], check=True)
    (built,) = folder.glob("immutable-ec2-*.tar.gz")
    return built
