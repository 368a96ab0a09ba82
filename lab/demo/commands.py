# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks, run as a user runs them: ansible-playbook in the checkout, its output in a log of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.demo.journal import DemoError
from lab.settings import CHECKOUT

LAST_LINES = 12
PROGRESS = re.compile(r"^(?:[a-z][a-z0-9-]* \| |lab: )")
"""The engine's progress lines begin with the environment's name, the lab's with its own."""


class Commands:
    """Runs commands in the checkout against the lab.

    Args:
        logs: folder for the logs, one a command, numbered in their order.
        variables: the lab's environment (AWS_ENDPOINT_URL and the like).
        tell: called with each line that is worth showing.
    """

    def __init__(self, logs: Path, variables: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._logs = logs
        self._tell = tell
        self._count = 0
        # No setting of the user's for a real account may reach the lab, or be reached by it.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
        tools = f"{Path(sys.executable).parent}:{own.get('PATH', '')}:/usr/sbin:/sbin"
        self._environment = {**own, **variables, "PATH": tools, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}

    def playbook(self, name: str, log: str, *arguments: str, **extra: Any) -> dict[str, Any]:
        """Run playbooks/<name>.yml with extra variables; returns its result file's content, {} where it wrote none.

        Raises DemoError with the last lines of the output when it fails.
        """
        result = self._logs / f"{self._count + 1:02}-{log}.json"
        result.unlink(missing_ok=True)
        variables = json.dumps({**extra, "result_file": str(result)})
        self.run(log, ["ansible-playbook", f"playbooks/{name}.yml", "-e", variables, *arguments])
        if not result.exists():
            return {}
        content: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return content

    def run(self, log: str, command: list[str], folder: Path = CHECKOUT) -> str:
        """Run a command; returns what it printed; raises DemoError with its last lines when it fails."""
        self._count += 1
        path = self._logs / f"{self._count:02}-{log}.log"
        last: deque[str] = deque(maxlen=LAST_LINES)
        printed: list[str] = []
        with (
            path.open("w", encoding="utf-8") as file,
            subprocess.Popen(
                command,
                cwd=folder,
                # The playbooks look for environments/ where the user stands, as the shell says it.
                env={**self._environment, "PWD": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                file.flush()
                printed.append(line)
                if line.strip():
                    last.append(line.rstrip())
                if PROGRESS.match(line):
                    self._tell(line.rstrip())
        if process.returncode:
            shown = "\n".join(f"    {line}" for line in last)
            raise DemoError(f"{' '.join(command[:2])} ended with {process.returncode}; see {path}\n{shown}")
        return "".join(printed)
