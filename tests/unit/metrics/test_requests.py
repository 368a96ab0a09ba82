# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of the load balancer's log."""

from __future__ import annotations

import pytest

from lab.metrics.requests import Request, parse


def line(group: str, server: str, status: int, end: str, milliseconds: int, answered: str) -> str:
    return f'1795478938371 listener_a {group} {server} {status} {end} {milliseconds} {answered} "GET / HTTP/1.1"'


def request(**changed: object) -> Request:
    answer = {"target_chosen": True, "connected": True, "answered": True, "status": 200, "seconds": 0.012}
    return Request(ended=1795478938.371, listener="listener_a", group="blue", **{**answer, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (line("blue", "slot0", 200, "--", 12, "1"), request()),
        (line("blue", "slot0", 500, "--", 12, "1"), request(status=500)),
        (line("blue", "slot0", 502, "SC", -1, "-"), request(status=502, answered=False, connected=False, seconds=None)),
        (line("blue", "slot0", 502, "SH", -1, "-"), request(status=502, answered=False, seconds=None)),
        (line("blue", "slot0", 200, "SD", 12, "1"), request()),
        (
            line("blue", "<NOSRV>", 503, "SC", -1, "-"),
            request(status=503, answered=False, connected=False, target_chosen=False, seconds=None),
        ),
    ],
    ids=["answered", "error", "refused", "closed before an answer", "closed within the answer", "no target"],
)
def test_a_request_is_what_its_line_says(text: str, wanted: Request) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "Proxy a stopped (cumulated conns: FE: 1, BE: 0).", "[WARNING] (1) : a b c d e f"]
)
def test_another_line_is_no_request(text: str) -> None:
    assert parse(text) is None
