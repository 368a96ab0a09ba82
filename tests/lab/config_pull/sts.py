# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for AWS's STS that Vault asks who signed a login. It takes only what botocore signs in the same way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lab.settings import ACCESS_KEY, SECRET_KEY

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop-servers"
_CALLER = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/shop-servers/i-0123456789abcdef0</Arn>
<UserId>AROA123456789EXAMPLE:i-0123456789abcdef0</UserId><Account>{ACCOUNT}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class _Handler(BaseHTTPRequestHandler):
    ahead = timedelta()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = _CALLER.encode() if self._signed(body) else b"<ErrorResponse/>"
        self.send_response(200 if content == _CALLER.encode() else 403)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _signed(self, body: bytes) -> bool:
        given = self.headers.get("Authorization", "")
        found = re.search(r"Credential=(\w+)/\d+/([\w-]+)/sts/aws4_request, SignedHeaders=([\w;-]+),", given)
        if not found or found[1] != ACCESS_KEY:
            return False
        names = [name for name in found[3].split(";") if name not in ("host", "x-amz-date", "x-amz-security-token")]
        # Vault passes the client's own name of the service on in its Host header.
        request = AWSRequest("POST", f"https://{self.headers['Host']}/", data=body)
        for name in names:
            request.headers[name] = self.headers[name]
        signer = SigV4Auth(
            Credentials(ACCESS_KEY, SECRET_KEY, self.headers.get("X-Amz-Security-Token")), "sts", found[2]
        )
        time = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        if abs(datetime.now(UTC).replace(tzinfo=None) + self.ahead - time).total_seconds() > 300:
            return False
        with mock.patch("botocore.auth.get_current_datetime", return_value=time):
            signer.add_auth(request)
        return request.headers["Authorization"].rsplit("=", 1)[1] == given.rsplit("=", 1)[1]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def clock_ahead(by: timedelta) -> Iterator[None]:
    """Lets its clock be ahead of this machine's for a while."""
    _Handler.ahead = by
    try:
        yield
    finally:
        _Handler.ahead = timedelta()


@contextmanager
def answering() -> Iterator[str]:
    """Its URL, while it answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
