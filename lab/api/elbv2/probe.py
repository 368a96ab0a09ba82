# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP health check."""

from __future__ import annotations

import http.client

from lab.api.elbv2.health import Probe


def probe(address: str, port: int, path: str, codes: str, timeout: float) -> Probe:
    """Ask ``http://address:port/path`` once.

    Args:
        address: the target's address.
        port: the health check's port.
        path: the health check's path.
        codes: accepted status codes as in a target group's matcher, such as ``200`` or ``200-299,301``.
        timeout: seconds; the real ones, since a server answers in real time.
    """
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        status = connection.getresponse().status
    except TimeoutError:
        return Probe(False, "Target.Timeout", "Request timed out")
    except (OSError, http.client.HTTPException):
        return Probe(False, "Target.FailedHealthChecks", "Health checks failed")
    finally:
        connection.close()
    if _accepted(status, codes):
        return Probe(True)
    return Probe(False, "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


def _accepted(status: int, codes: str) -> bool:
    for part in codes.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
