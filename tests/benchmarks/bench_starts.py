# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the programs take before they do anything: config-pull delays every boot, a module every task."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

from tests.benchmarks.results import report

CHECKOUT = Path(__file__).parents[2]
CONFIG_PULL = CHECKOUT / "plugins" / "module_utils"
PLUGINS = "ansible_collections.immutable.ec2.plugins"


def main() -> None:
    report(
        {
            "config-pull --help, ms": _fastest("-c", "from config_pull.cli import parser; parser().format_help()"),
            "config-pull with its AWS clients, ms": _fastest("-c", "import config_pull.commands"),
            "import of the module blue_green_info, ms": _fastest("-c", f"import {PLUGINS}.modules.blue_green_info"),
        }
    )


def _fastest(*arguments: str, runs: int = 5) -> float:
    """The time in ms of the fastest of some runs of Python, its own start included."""
    times = []
    for _run in range(runs):
        start = perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=CONFIG_PULL, check=True)
        times.append(perf_counter() - start)
    return min(times) * 1_000


if __name__ == "__main__":
    main()
