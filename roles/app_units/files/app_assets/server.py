# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP on a local socket for nginx, which keeps what it gets: each asset is fetched once a server."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from .bucket import Bucket, NotKept, Unreachable

AT_ONCE = 16
"""Requests to the bucket. Pages ask for what the browser has not kept yet; who asks for more tries names out."""

PASSED_ON = ("Content-Type", "Content-Length", "ETag", "Last-Modified")
"""Of the bucket's headers. The others say how and where assets are kept, which is nobody's business."""


class Server(ThreadingMixIn, UnixStreamServer):
    """Serves assets from the bucket on a socket.

    Args:
        path: of the socket; one that an earlier process left there is replaced.
        bucket: what is served.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, bucket: Bucket) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)
        # The unit's group is nginx's: nobody else has a use for it.
        path.chmod(0o660)
        self.bucket = bucket
        self.free = threading.BoundedSemaphore(AT_ONCE)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10

    def do_GET(self) -> None:
        if not self.server.free.acquire(blocking=False):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        try:
            self._give()
        finally:
            self.server.free.release()

    def _give(self) -> None:
        try:
            with self.server.bucket.open(self.path) as found:
                self.send_response(HTTPStatus.OK)
                for name in PASSED_ON:
                    if value := found.getheader(name):
                        self.send_header(name, value)
                self.end_headers()
                shutil.copyfileobj(found, self.wfile)
        except NotKept:
            self._refuse(HTTPStatus.NOT_FOUND)
        except Unreachable:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        except OSError:
            # The body broke off: nginx sees that the length is not reached, and keeps nothing.
            self.close_connection = True

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def version_string(self) -> str:
        return "assets"

    def log_message(self, format: str, *args: object) -> None:
        """Requests are in nginx's log already."""


def tell_systemd() -> None:
    """Say that the socket is there (sd_notify(3)); nothing where systemd did not start this."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            connection.sendall(b"READY=1")
