# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a release's way have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from lab.demo.cloud import Cloud
from lab.demo.commands import Commands
from lab.demo.journal import DemoError
from lab.settings import Settings

APP = "shop"


@dataclass(frozen=True)
class Shop:
    """The example app in the tests' lab, the names of its two releases, and someone who stands in the checkout."""

    settings: Settings
    cloud: Cloud
    commands: Commands
    first: str
    second: str

    def runs(self, playbook: str, *arguments: str, **extra: Any) -> dict[str, Any]:
        """The result that the playbook wrote, {} where it writes none."""
        return self.commands.playbook(playbook, playbook, *arguments, **extra)

    def refuses(self, playbook: str, **extra: Any) -> str:
        """What the playbook said, on one line, when it ended without success."""
        with pytest.raises(DemoError) as failure:
            self.commands.playbook(playbook, f"{playbook}-refused", **extra)
        return " ".join(str(failure.value).split())
