# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that are run as a user runs them, and can be killed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tests.faults.zygote import Request, workers

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "playbooks" / "deploy.yml"
_START_SECONDS = 60


SETTINGS = """\
[defaults]
localhost_warning = False
# ansible-playbook looks so often whether its worker has something to tell, in seconds; 1000 times a second by default.
internal_poll_interval = 0.02
[inventory]
inventory_unparsed_warning = False
"""


def _settings(folder: Path) -> Path:
    written = folder / "ansible.cfg"
    written.write_text(SETTINGS, encoding="utf-8")
    return written


class Playbook:
    """A run of ansible-playbook."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.pid = 0
        self.code: int | None = None

    def kill(self, who: str) -> list[int]:
        """SIGKILL for the ``parent`` or the ``worker`` alone.

        Returns:
            The workers, which are to end soon, whichever was killed.
        """
        forked = workers(self.pid)
        for pid in forked if who == "worker" else [self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return forked


class Playbooks:
    """Starts runs, many at a time.

    Args:
        folder: for logs and Ansible's own files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._runs: dict[str, Playbook] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        # No setting of the user's for a real account may reach a run.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
        own |= {
            "ANSIBLE_CONFIG": str(_settings(folder)),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "FAULTS_PLAYBOOK": str(DEPLOY),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:{own.get('PATH', '')}:/usr/sbin:/sbin",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=CHECKOUT,
            env=own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "zygote.log").open("wb"),
            text=True,
            bufsize=1,
        )
        self._ready = threading.Event()
        threading.Thread(target=self._listen, name="playbooks", daemon=True).start()
        if not self._ready.wait(_START_SECONDS) or self._process.poll() is not None:
            raise RuntimeError(f"no playbook can be started; see {folder / 'zygote.log'}")

    def start(
        self, folder: Path, variables: Mapping[str, str], clock: Path, speed: float, bug: str = "", **extra: str
    ) -> Playbook:
        """``ansible-playbook deploy.yml -e …`` in a folder.

        Args:
            folder: where the user stands.
            variables: the environment's, to reach the API.
            clock: the file of the deployment's clock, see ``tests.faults.clock``.
            speed: how much shorter than wanted its sleeps are.
            bug: a mistake that is made on purpose.
            extra: the extra variables.
        """
        name = str(next(self._numbers))
        log = folder / f"{variables['AWS_ACCESS_KEY_ID']}.log"
        arguments = [str(DEPLOY), "-e", json.dumps(extra)]
        request = Request(name, arguments, dict(variables), str(folder), str(log), str(clock), speed, bug)
        run = self._runs[name] = Playbook(request)
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(json.dumps(asdict(request)) + "\n")
        run.begun.wait(_START_SECONDS)
        return run

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            run = self._runs.get(said["id"])
            if run is None:
                self._ready.set()
            elif "pid" in said:
                run.pid = said["pid"]
                run.begun.set()
            else:
                run.code = said["code"]
                run.ended.set()
                del self._runs[said["id"]]
        self._ready.set()
