# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration and weight maps from the facts. Pure.

HAProxy 2.6 and its manual: https://docs.haproxy.org/2.6/configuration.html. Members sit in slots (``server`` lines that
are filled and emptied over the runtime socket), and weights in map files that are replaced as a whole over the same
socket; so neither a deployment nor a server's failure reloads HAProxy, and no kept-alive connection sees a change.
"""

from __future__ import annotations

import re
from pathlib import Path

from lab.loadbalancer.model import Backend, Balancing, Frontend, Member

#: Parts into which a listener's requests are divided; a weight of 1 in 999 is still seen.
PARTS = 1000
NOWHERE = "nowhere"
_LEAST_SLOTS = 8
_EMPTY_SLOT = "127.0.0.1:9"

# An Application Load Balancer sends a request once and to one target, keeps idle connections for 60 s on both sides
# and answers 503 where there is no target.
_SETTINGS = """\
global
  stats socket {socket} mode 600 level admin expose-fd listeners
  log stdout format raw local0
  maxconn 4000
  hard-stop-after 90s
defaults
  mode http
  log global
  option httplog
  option dontlog-normal
  option http-keep-alive
  option idle-close-on-response
  http-reuse always
  retries 0
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  timeout http-request 60s
backend {nowhere}
  http-request return status 503
"""


def name(arn: str) -> str:
    """An ARN's last part as a name that HAProxy takes."""
    return re.sub(r"\W", "_", arn.rsplit(":", 1)[-1])


def map_path(folder: Path, frontend: Frontend) -> Path:
    """The weight map of a listener."""
    return folder / f"{name(frontend.listener)}.map"


def weights(frontend: Frontend) -> tuple[str, ...]:
    """The lines of a listener's map: which parts of its requests go to which target group."""
    total = sum(share.weight for share in frontend.shares)
    lines, low, weight = [], 0, 0
    for share in frontend.shares:
        weight += share.weight
        high = round(weight * PARTS / total) if total else 0
        if high > low:
            lines.append(f"{low}:{high - 1} {name(share.group)}")
            low = high
    return tuple(lines)


def maps(folder: Path, balancing: Balancing) -> dict[Path, tuple[str, ...]]:
    """Every weight map by its path."""
    return {map_path(folder, frontend): weights(frontend) for frontend in balancing.frontends}


def slots(backend: Backend, before: tuple[Member | None, ...] = ()) -> tuple[Member | None, ...]:
    """A backend's slots: members keep the slot that they had, new ones take free ones, and there is room to grow."""
    members = {member.id: member for member in backend.members}
    kept = [members.get(slot.id) if slot and members.get(slot.id) == slot else None for slot in before]
    placed = {slot.id for slot in kept if slot}
    waiting = [member for member in backend.members if member.id not in placed]
    while len(kept) < max(_LEAST_SLOTS, len(before)) or kept.count(None) < len(waiting):
        kept += [None] * max(_LEAST_SLOTS, len(kept))
    free = iter(waiting)
    return tuple(slot or next(free, None) for slot in kept)


def configuration(
    folder: Path, balancing: Balancing, filled: dict[str, tuple[Member | None, ...]], api_port: int
) -> str:
    """The whole configuration.

    Args:
        folder: where the maps and the runtime socket are.
        balancing: what HAProxy shall do.
        filled: the slots of every target group.
        api_port: the API's port on loopback, for the relay.
    """
    parts = [_SETTINGS.format(socket=folder / "haproxy.sock", nowhere=NOWHERE)]
    parts += [_frontend(folder, frontend) for frontend in balancing.frontends]
    parts += [_backend(backend, filled[backend.group]) for backend in balancing.backends]
    if balancing.relay:
        address, port = balancing.relay
        parts.append(
            f"listen api_for_servers\n  mode tcp\n  option tcplog\n"
            f"  bind {address}:{port}\n  server api 127.0.0.1:{api_port}\n"
        )
    return "".join(parts)


def _frontend(folder: Path, frontend: Frontend) -> str:
    return (
        f"frontend {name(frontend.listener)}\n"
        f"  bind {frontend.address}:{frontend.port}\n"
        f"  use_backend %[rand({PARTS}),map_int({map_path(folder, frontend)},{NOWHERE})]\n"
    )


def _backend(backend: Backend, filled: tuple[Member | None, ...]) -> str:
    lines = [f"backend {name(backend.group)}", "  balance roundrobin"]
    for number, member in enumerate(filled):
        where = f"{member.address}:{member.port}" if member else f"{_EMPTY_SLOT} disabled"
        lines.append(f"  server slot{number} {where} pool-purge-delay 60s")
    return "\n".join(lines) + "\n"
