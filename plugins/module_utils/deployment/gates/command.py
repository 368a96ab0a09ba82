# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command's gate: a check of the user's own, as a process group that ends with the gate."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import COMMAND
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.output import Output, secrets
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import PreviewAccess
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import CommandSettings

KEEP_EVERY_SECONDS: t.Final = 0.5
TELL_EVERY_SECONDS: t.Final = 10
GRACE_SECONDS: t.Final = 5
"""Between SIGTERM and SIGKILL."""
PREVIEW_URL: t.Final = re.compile(r"\{\{\s*preview_url\s*\}\}")


def run_command(
    settings: CommandSettings, preview: PreviewAccess, tell: Callable[[str], None], keep: Callable[[], None]
) -> Verdict:
    """Runs the command with ``/bin/sh`` where the user stands, and takes its exit status for the verdict.

    It gets the caller's environment with ``PREVIEW_URL``, ``PREVIEW_HEADER`` and ``PREVIEW_SECRET``; the text
    ``{{ preview_url }}`` in it becomes the URL. It has no input. What is left of its process group is killed
    before this returns or raises.

    Args:
        settings: what is run, and for how long at most.
        preview: the way to the new colour.
        tell: is called with the command's latest line of output, not more often than every 10 seconds.
        keep: is called at least once a second; what it raises ends the command and goes on to the caller.

    Returns:
        PASSED for the exit status 0, else FAILED with the last lines of output, secrets masked.
    """
    started = clock.monotonic()
    environment = {
        **os.environ,
        "PREVIEW_URL": preview.url,
        "PREVIEW_HEADER": preview.header,
        "PREVIEW_SECRET": preview.secret,
    }
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", PREVIEW_URL.sub(lambda _match: shlex.quote(preview.url), settings.run)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        why = f"{settings.name} could not be started: {error.strerror}"
        return Verdict(COMMAND, GateState.FAILED, why, clock.now())
    with Output(t.cast("t.IO[bytes]", process.stdout), secrets(environment)) as output:
        try:
            in_time = _watch(process, output, settings, tell, keep)
        finally:
            _end(process, output)
    seconds = clock.monotonic() - started
    if in_time and process.returncode == 0:
        return Verdict(COMMAND, GateState.PASSED, f"{settings.name} passed in {seconds:.0f} s", clock.now())
    how = _how(process.returncode) if in_time else f"did not end within {settings.timeout.total_seconds():g} s"
    said = " / ".join(output.lines) or "nothing"
    return Verdict(COMMAND, GateState.FAILED, f"{settings.name} {how}; it said: {said}", clock.now())


def _watch(
    process: subprocess.Popen[bytes],
    output: Output,
    settings: CommandSettings,
    tell: Callable[[str], None],
    keep: Callable[[], None],
) -> bool:
    """Until the command has ended (True) or its time is over (False)."""
    end = clock.monotonic() + settings.timeout.total_seconds()
    told, next_tell, next_keep = "", clock.monotonic(), clock.monotonic()
    while process.poll() is None:
        if clock.monotonic() >= end:
            return False
        if clock.monotonic() >= next_keep:
            next_keep = clock.monotonic() + KEEP_EVERY_SECONDS
            keep()
        _pause(process, output)
        if output.latest != told and clock.monotonic() >= next_tell:
            told, next_tell = output.latest, clock.monotonic() + TELL_EVERY_SECONDS
            tell(f"{settings.name}: {told}")
    return True


def _pause(process: subprocess.Popen[bytes], output: Output) -> None:
    """Until there is something to look at, or it is time to look anyway."""
    if output.closed:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KEEP_EVERY_SECONDS)
    else:
        output.wait(KEEP_EVERY_SECONDS)


def _end(process: subprocess.Popen[bytes], output: Output) -> None:
    """Nothing of the group is left: what still runs is asked, and then made, to end."""
    try:
        if process.poll() is None:
            _signal(process, signal.SIGTERM)
            end = clock.monotonic() + GRACE_SECONDS
            # The pipe is closed when the last of the group that holds it is gone.
            while clock.monotonic() < end and (process.poll() is None or not output.closed):
                _pause(process, output)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
    output.drain()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        os.killpg(process.pid, number)


def _how(status: int) -> str:
    return f"ended with exit status {status}" if status >= 0 else f"was ended by signal {-status}"
