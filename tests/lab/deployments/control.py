# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own paths (/_lab/…): which calls were made, by whom, and faults."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


class LabControl:
    """What a test asks the lab for.

    Args:
        url: the API's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._faults: list[str] = []

    def fault(self, effect: str, match: dict[str, Any], **options: Any) -> str:
        """Ask the lab for a fault; returns its id."""
        made = str(self.ask("POST", "/_lab/faults", {"effect": effect, "match": match, **options})["id"])
        self._faults.append(made)
        return made

    def hit(self, fault: str, seconds: float = 120) -> None:
        """Wait until something has met it."""
        found = self.ask("GET", f"/_lab/faults/{fault}?wait={seconds:.0f}")
        assert found["hit"], f"nothing met {found['effect']} of {found['match']} within {seconds:.0f} s"

    def met(self, fault: str) -> bool:
        """Whether something has met it."""
        return bool(self.ask("GET", f"/_lab/faults/{fault}")["hit"])

    def let_go(self, fault: str) -> None:
        """What the fault holds goes on."""
        self.ask("POST", f"/_lab/faults/{fault}/release")

    def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request to the lab's own paths (/_lab/…)."""
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self._url + path, body, method=method)
        with urllib.request.urlopen(request, timeout=150) as answer:
            read: dict[str, Any] = json.load(answer)
            return read

    def last_call(self) -> int:
        """The number of the last call that the lab has seen."""
        return int(self.ask("GET", "/_lab/calls?client=nobody")["last"])

    def calls(self, client: str, since: int = 0) -> list[dict[str, Any]]:
        """The calls of a client after that number."""
        calls: list[dict[str, Any]] = self.ask("GET", f"/_lab/calls?since={since}&client={client}")["calls"]
        return calls

    def writes(self, client: str, since: int = 0) -> list[str]:
        """The operations by which a client changed something; one that is refused changes nothing."""
        calls = self.calls(client, since)
        return [call["operation"] for call in calls if call["writes"] and (call["status"] or 0) < 400]

    def let_all_go(self) -> None:
        """What any fault holds that was asked for here goes on; those of other envs stay."""
        for fault in self._faults:
            self.let_go(fault)
