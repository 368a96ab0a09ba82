# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work on servers, in the background and in order, so that no API call waits for a machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from lab.api.moto_bridge import LOCK
from lab.servers.interface import Servers

log = logging.getLogger(__name__)


class Machines:
    """Hands work to ``Servers``: two pieces for the same instance run in the order in which they came."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="machines")
        self._last: dict[str, Future[None]] = {}

    def submit(
        self,
        instance_id: str,
        what: str,
        work: Callable[[Servers], None],
        done: Callable[[Exception | None], None],
    ) -> None:
        """Do ``work`` after everything submitted before for this instance.

        Args:
            instance_id: whose machine it is about.
            what: the work's name, for the log.
            work: is given the servers; runs without any lock.
            done: is given the error or None; runs with moto's lock held.
        """
        with LOCK:
            before = self._last.get(instance_id)
            self._last[instance_id] = self._workers.submit(self._run, instance_id, what, work, done, before)

    def _run(
        self,
        instance_id: str,
        what: str,
        work: Callable[[Servers], None],
        done: Callable[[Exception | None], None],
        before: Future[None] | None,
    ) -> None:
        if before is not None:
            wait([before])
        error: Exception | None = None
        try:
            work(self.servers)
        except Exception as caught:  # a machine that failed is an answer of the API, whatever went wrong
            error = caught
            log.error("%s of %s failed: %s", what, instance_id, caught)
        else:
            log.info("%s of %s done", what, instance_id)
        with LOCK:
            done(error)

    def close(self) -> None:
        """Wait for what runs, drop what has not begun, and remove every server."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        self.servers.close()
