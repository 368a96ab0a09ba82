# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that functions run in: their log and metrics, and their end with the lab.

ministack starts a Python of the lab's own environment (so boto3 is there) for a function's first call, keeps it for
the next ones, kills it when the function's Timeout is over, and gives it the variables of AWS's runtime.
Private to ministack 1.5.33: ``lambda_runtime.Worker`` with ``_spawn``, ``_read_stderr``, ``_proc``,
``_stderr_queue``; ``reset``; ``lambda_svc._emit_lambda_metrics``, which counts no calls of events.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from lab.api.cloudwatch import store
from lab.api.patching import replace
from lab.api.settings import Settings
from lab.metrics.model import Datapoint


class Functions:
    """All functions' processes, and the log that they share: what they print, and how each call ended."""

    def __init__(self, settings: Settings) -> None:
        self._log = _Log(settings.run_dir / "log" / "functions.log")
        self._closed = False
        os.environ["AWS_ENDPOINT_URL"] = settings.lab.api_url  # functions inherit it
        self._spawn = replace(lambda_runtime.Worker, "_spawn", lambda worker: self._start(worker))
        self._invoke = replace(
            lambda_runtime.Worker, "invoke", lambda worker, *given, **named: self._call(worker, *given, **named)
        )
        replace(lambda_runtime.Worker, "_read_stderr", lambda worker: self._read(worker))
        replace(lambda_svc, "_emit_lambda_metrics", lambda *_given, **_named: None)

    def close(self) -> None:
        """End every function's process, those in the middle of a call too; none is started any more."""
        self._closed = True
        lambda_runtime.reset()
        self._log.close()

    def _start(self, worker: Any) -> None:
        self._spawn(worker)
        if self._closed:
            worker.kill()
            raise RuntimeError("the lab goes down")

    def _call(self, worker: Any, event: object, request_id: str, **named: Any) -> dict[str, Any]:
        self._log.write(worker.func_name, f"START {request_id}")
        began, problem = time.time(), None
        try:
            result: dict[str, Any] = self._invoke(worker, event, request_id, **named)
            if result["status"] != "ok":
                problem = result.get("trace") or result["error"]
        except Exception as error:
            problem = str(error)
            raise
        finally:
            self._log.write(worker.func_name, f"FAILED {request_id}: {problem}" if problem else f"END {request_id}")
            _count(worker.func_name, began, failed=problem is not None)
        return result

    def _read(self, worker: Any) -> None:
        """In the place of ministack's: what the function prints goes to the log at once, and to ministack."""
        queue = worker._stderr_queue
        for line in worker._proc.stderr:
            queue.put(line.rstrip("\n"))
            self._log.write(worker.func_name, line)


def _count(function: str, began: float, failed: bool) -> None:
    """Publish a call's metrics."""
    now = time.time()
    values = {"Invocations": 1.0, "Errors": float(failed), "Duration": (now - began) * 1000}
    store.publish(
        Datapoint(
            "AWS/Lambda",
            metric,
            {"FunctionName": function},
            now,
            (value,),
            "Milliseconds" if metric == "Duration" else "Count",
        )
        for metric, value in values.items()
    )


class _Log:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("a")
        self._lock = threading.Lock()

    def write(self, function: str, text: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            if not self._file.closed:
                self._file.write("".join(f"{now} {function}: {line}\n" for line in text.splitlines()))
                self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()
