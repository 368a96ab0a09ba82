# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A private index of the gems in a folder, on localhost:9292: private_index.py FOLDER USER:PASSWORD.

It speaks what Bundler asks first (the compact index): /versions, /info/<gem>, /gems/<file>.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FOLDER, CREDENTIALS = Path(sys.argv[1]), base64.b64encode(sys.argv[2].encode()).decode()


def info(name: str) -> bytes:
    """The versions of a gem, without dependencies."""
    lines = []
    for file in sorted(FOLDER.glob(f"{name}-*.gem")):
        lines.append(f"{file.stem.rsplit('-', 1)[1]} |checksum:{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    return "".join(["---\n", *lines]).encode()


def versions() -> bytes:
    """All gems, each with the sum of its info."""
    lines = ["created_at: 2026-01-01T00:00:00Z\n", "---\n"]
    for file in sorted(FOLDER.glob("*.gem")):
        name, version = file.stem.rsplit("-", 1)
        lines.append(f"{name} {version} {hashlib.md5(info(name), usedforsecurity=False).hexdigest()}\n")
    return "".join(lines).encode()


class Index(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Answer it, 401 without the credentials."""
        if self.headers.get("Authorization") != f"Basic {CREDENTIALS}":
            self._answer(401, b"")
        elif self.path == "/versions":
            self._answer(200, versions())
        elif self.path.startswith("/info/"):
            self._answer(200, info(self.path.removeprefix("/info/")))
        elif self.path.startswith("/gems/") and (FOLDER / Path(self.path).name).is_file():
            self._answer(200, (FOLDER / Path(self.path).name).read_bytes())
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="gems"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 9292), Index).serve_forever()
