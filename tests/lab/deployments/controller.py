# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller: ansible-playbook as a user starts it, that can be watched, stopped and killed while it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 420.0


@dataclass(frozen=True)
class Ended:
    """How a controller ended: its exit code, the result that it wrote ({} where it wrote none), what it printed."""

    code: int
    facts: Mapping[str, Any]
    said: str

    @property
    def result(self) -> str:
        """The typed result, or "" where there was none."""
        return str(self.facts.get("result", ""))

    @property
    def reason(self) -> str:
        return str(self.facts.get("reason", ""))

    @property
    def message(self) -> str:
        """The error in one line, as the task failed with it."""
        return str(self.facts.get("msg", ""))

    @property
    def steps(self) -> list[str]:
        return [step["step"] for step in self.facts["steps"]]


class Controller:
    """One run of a playbook.

    Args:
        folder: the ops repo that it is run in, and where its log and result are written.
        environment: its variables.
        name: of its log.
        command: what is run; the result file's path is added to it.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], name: str, command: list[str]) -> None:
        self._log = folder / "logs" / f"{name}.log"
        self._result = self._log.with_suffix(".json")
        self._log.parent.mkdir(exist_ok=True)
        with self._log.open("w", encoding="utf-8") as out:
            self._process = subprocess.Popen(
                [*command, "-e", json.dumps({"result_file": str(self._result)})],
                cwd=folder,
                env={**environment, "PWD": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def says(self, words: str, seconds: float = 180.0) -> Controller:
        """Wait until it has printed these words; fails when it ends without."""
        deadline = time.monotonic() + seconds
        while words not in self.said:
            running = self.running
            if not running and words in self.said:
                break
            assert running and time.monotonic() < deadline, f"{words!r} was not said:\n{self.said}"
            time.sleep(0.1)
        return self

    def end(self, seconds: float = LONGEST_SECONDS) -> Ended:
        """Wait for its end."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {seconds:.0f} s:\n{self.said}") from None
        facts = json.loads(self._result.read_text(encoding="utf-8")) if self._result.exists() else {}
        return Ended(code, facts, self.said)

    def kill(self) -> None:
        """SIGKILL to ansible-playbook and to its worker, which has a session of its own and would live on."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """SIGSTOP to all of it, as when its machine is suspended."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for pid in (self._process.pid, *_descendants(self._process.pid)):
            os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *_descendants(int(child))]
    return found


def clean_environment(variables: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of a user who has no settings of their own, and whose AWS is the lab.

    Args:
        variables: the lab's.
        home: Ansible's own files.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    tools = f"{Path(sys.executable).parent}:{own.get('PATH', '')}:/usr/sbin:/sbin"
    ansible = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_HOME": str(home)}
    return {**own, **variables, **ansible, "PATH": tools, "LC_ALL": "C.UTF-8"}
