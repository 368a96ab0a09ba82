# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults.zygote``: has Ansible, botocore and the collection loaded, and forks each run.

What a run is given (cwd, environment, arguments) is all that makes it differ from ``ansible-playbook`` in a shell: it
calls the entry point of that command. Starting one so takes a tenth of the processor time, which is what lets a
thousand of them be killed. Requests come as lines of JSON on standard input, see ``Request``; answers go to standard
output: ``{"id", "pid"}`` when a run has begun, ``{"id", "code"}`` when it has ended (negative: by a signal). It ends
when its input does, and then so do its runs.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import clock

SERVICES = ("autoscaling", "cloudformation", "cloudwatch", "dynamodb", "ec2", "elbv2", "sns", "sts")


@dataclass(frozen=True)
class Request:
    """One run.

    Attributes:
        id: its name in the answers.
        arguments: of ansible-playbook.
        environment: variables that are added.
        folder: where the user stands.
        log: the file that gets its output.
        clock: the file of its clock, see ``tests.faults.clock``.
        speed: how much shorter than real ones its sleeps are.
        bug: a mistake that is made on purpose, see ``tests.faults.bugs``; "" for none.
    """

    id: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    log: str
    clock: str
    speed: float
    bug: str = ""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    _warm_up()
    inbox = _Inbox()
    running: dict[int, str] = {}
    answers.write(json.dumps({"id": "", "pid": os.getpid()}) + "\n")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        while True:
            for request in inbox.read():
                pid = os.fork()
                if pid == 0:
                    try:
                        _run(request)
                    finally:
                        os._exit(1)
                running[pid] = request.id
                answers.write(json.dumps({"id": request.id, "pid": pid}) + "\n")
            for pid, code in _ended():
                if pid in running:
                    answers.write(json.dumps({"id": running.pop(pid), "code": code}) + "\n")
    except EOFError:
        pass
    finally:
        for pid in running:
            for each in (*workers(pid), pid):
                os.kill(each, signal.SIGKILL)


def workers(pid: int) -> list[int]:
    """The processes that a run has forked and that still are."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class _Inbox:
    """Requests, and a wake-up when a child has ended."""

    def __init__(self) -> None:
        awake, self._bell = os.pipe()
        for end in (awake, self._bell, 0):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell)
        self._awake = awake
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(awake, selectors.EVENT_READ)
        self._waiting.register(0, selectors.EVENT_READ)
        self._rest = b""

    def read(self) -> list[Request]:
        """Waits for something; returns the requests that came. Raises EOFError at the end."""
        found = {key.fd for key, _ in self._waiting.select()}
        if self._awake in found:
            os.read(self._awake, 4096)
        if 0 in found:
            part = os.read(0, 65536)
            if not part:
                raise EOFError
            self._rest += part
        *lines, self._rest = self._rest.split(b"\n")
        return [Request(**json.loads(line)) for line in lines]


def _ended() -> list[tuple[int, int]]:
    found = []
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def _run(request: Request) -> None:
    """The child's whole life."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.chdir(request.folder)
    os.environ.update(request.environment, PWD=request.folder)
    clock.use(Path(request.clock), request.speed)
    if request.bug:
        from tests.faults import bugs

        bugs.make(request.bug)
    from ansible.cli.playbook import PlaybookCLI

    code: Any = 1
    try:
        PlaybookCLI.cli_executor(["ansible-playbook", *request.arguments])
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _warm_up() -> None:
    """Everything that a run imports and reads, once."""
    warnings.filterwarnings("ignore", message="AnsibleCollectionFinder has already been configured")
    from ansible.cli.playbook import PlaybookCLI
    from ansible.parsing.vault import VaultSecretsContext
    from ansible.utils import vars as variables
    from ansible.utils.context_objects import GlobalCLIArgs

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(SystemExit):
        playbook = Path(os.environ["FAULTS_PLAYBOOK"])
        PlaybookCLI.cli_executor(["ansible-playbook", "--syntax-check", str(playbook), "-e", f"result_file={folder}/x"])
    # What each run sets once. Private to ansible-core 2.19.
    VaultSecretsContext._current = None
    GlobalCLIArgs._Singleton__instance = None
    for once in (variables.load_extra_vars, variables.load_options_vars):
        vars(once).clear()
    from ansible_collections.immutable.ec2.plugins.action import blue_green, environment_file  # noqa: F401

    _keep_botocores_data()
    gc.collect()
    gc.freeze()  # else each child's collector would touch, and so copy, all of it


def _keep_botocores_data() -> None:
    """botocore reads its descriptions of the services from disk for each session; here they are read once."""
    import boto3
    from botocore import loaders
    from botocore import session as sessions

    shared = loaders.create_loader()
    sessions.create_loader = lambda search_path_string=None: shared
    session = boto3.session.Session(region_name="eu-west-1")
    make_client: Any = session.client
    for service in SERVICES:
        make_client(service, aws_access_key_id="x", aws_secret_access_key="x", endpoint_url="http://127.0.0.1:9")


if __name__ == "__main__":
    main()
