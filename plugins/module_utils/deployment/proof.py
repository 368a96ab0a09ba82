# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through the load balancer: what users get, whatever the APIs say."""

from __future__ import annotations

import collections
import http.client
import ssl
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Edge

REQUESTS: t.Final = 12
TIMEOUT_SECONDS: t.Final = 5
FAILED_CONNECTIONS: t.Final = 3
"""So many in a row from the first, and the load balancer can't be reached from here."""
HEADER: t.Final = "X-Release"


def ask(
    edge: Edge,
    path: str,
    requests: int = REQUESTS,
    headers: Mapping[str, str] | None = None,
    only: str | None = None,
) -> Mapping[str, int] | None:
    """Which releases answer behind the load balancer.

    Args:
        edge: whose load balancer is asked, with a new connection for each request.
        path: what is asked for; every response names its release, errors included.
        requests: how many.
        headers: sent along, as the preview needs one.
        only: the one release that should answer: the first response that names another is the last that is asked for,
            since each is an error to whoever counts them where nothing serves yet.

    Returns:
        Release → number of responses ("" where a response named none or a request failed), or None where the load
        balancer can't be reached at all, as an internal one can't be from everywhere.
    """
    answers: collections.Counter[str] = collections.Counter()
    failed = 0
    for _attempt in range(requests):
        try:
            answer = _ask_once(edge, path, headers or {})
        except (OSError, http.client.HTTPException):
            failed += 1
            if not answers and failed == FAILED_CONNECTIONS:
                return None
            continue
        answers[answer] += 1
        if only is not None and answer != only:
            break
    return answers + collections.Counter({"": failed})


def _ask_once(edge: Edge, path: str, headers: Mapping[str, str]) -> str:
    connection = _connect(edge)
    try:
        sent = {"Connection": "close", "User-Agent": "immutable.ec2", **headers}
        connection.request("GET", path, headers=sent)
        return connection.getresponse().getheader(HEADER) or ""
    finally:
        connection.close()


def _connect(edge: Edge) -> http.client.HTTPConnection:
    if not edge.tls:
        return http.client.HTTPConnection(edge.address, edge.port, timeout=TIMEOUT_SECONDS)
    # The certificate names the app's domain, not the load balancer's; nothing secret is sent but the preview's own
    # header, and one header is read.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(edge.address, edge.port, timeout=TIMEOUT_SECONDS, context=context)
