# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab.api``: the API's process, in the foreground until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys

from lab.api import front
from lab.api.settings import Settings, from_arguments
from lab.settings import LabError


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("lab").setLevel(logging.INFO)
    try:
        settings = from_arguments()
        _require_free(settings)
        asyncio.run(_serve(settings))
    except LabError as error:
        print(f"lab.api: {error}", file=sys.stderr)
        return 1
    return 0


def _require_free(settings: Settings) -> None:
    port = settings.lab.api_port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabError(f"port {port} on 127.0.0.1 is in use: end what listens there ({error.strerror})") from None


async def _serve(settings: Settings) -> None:
    front.configure(settings)
    from lab.api.lab import Lab  # moto reads the environment when it is imported

    lab = Lab(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = front.application(lab.status, lab.journal, lab.faults)
    try:
        await asyncio.to_thread(lab.start)
        await asyncio.gather(front.serve(app, settings, stop), lab.alarms.watch(stop))
    finally:
        await asyncio.to_thread(lab.close)


if __name__ == "__main__":
    sys.exit(main())
