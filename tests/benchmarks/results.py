# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a benchmark says what it measured."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path


def report(figures: Mapping[str, float]) -> None:
    """Prints the figures, whose names end in their unit, and writes them to the file named on the command line."""
    for name, value in figures.items():
        print(f"{name:<40} {value:10.2f}")
    content = {**circumstances(), "figures": dict(figures)}
    Path(sys.argv[1]).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def circumstances() -> dict[str, str]:
    """When and where it was measured, and how busy the machine was besides."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    load = f"{os.getloadavg()[2]:.1f} in the last 15 minutes"
    return {"date": datetime.now(UTC).date().isoformat(), "machine": machine, "load_average": load}
