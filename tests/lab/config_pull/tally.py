# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts the fault cases of a test run, for build/config_faults.json."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lab.settings import CHECKOUT

RESULT = CHECKOUT / "build" / "config_faults.json"


@dataclass
class Tally:
    """What was seen.

    Attributes:
        partial: cases after which there was neither the old complete state nor the new one, nor nothing.
        leaked: cases after which a planted value was found where none may be.
        kinds: cases by kind.
    """

    partial: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, case: str, whole: bool, leaks: list[str]) -> None:
        """Count one case."""
        with self._lock:
            self.kinds[kind] += 1
            if not whole:
                self.partial.append(case)
            if leaks:
                self.leaked.append(f"{case}: {', '.join(leaks)}")

    def write(self, file: Path = RESULT) -> None:
        """Write the figures."""
        figures = {"cases": self.kinds.total(), "partial": len(self.partial), "leaked": len(self.leaked)}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**figures, "kinds": dict(sorted(self.kinds.items()))}, indent=2) + "\n")
