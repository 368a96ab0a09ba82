# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration from the facts. Pure.

HAProxy 2.6 and its manual: https://docs.haproxy.org/2.6/configuration.html. Members sit in slots (``server`` lines that
are filled and emptied over the runtime socket), and what decides where requests go in maps that are replaced over the
same socket; so neither a deployment nor a server's failure reloads HAProxy, and no kept-alive connection sees a change.
"""

from __future__ import annotations

from pathlib import Path

from lab.loadbalancer.model import Backend, Balancing, Frontend, Member
from lab.loadbalancer.routing import NOWHERE, PARTS, name, path

#: The cookie of a sticky client, as AWS names it.
COOKIE = "AWSALBTG"
_LEAST_SLOTS = 8
_EMPTY_SLOT = "127.0.0.1:9"

# An Application Load Balancer sends a request once and to one target, keeps idle connections for 60 s on both sides
# and answers 503 where there is no target. Every request makes a line on standard output, which the metrics are read
# from (lab.metrics.requests); failed ones and HAProxy's own messages are on standard error too. HAProxy's cache of
# patterns is off: it would keep what a request saw while a map was filled, until that map is changed again.
_SETTINGS = """\
global
  stats socket {socket} mode 600 level admin expose-fd listeners
  log stdout format raw local0 info
  log stderr format raw local0 notice
  maxconn 4000
  tune.pattern.cache-size 0
  hard-stop-after 90s
defaults
  mode http
  log global
  option log-separate-errors
  log-format "%[date(0,ms)] %f %b %s %ST %ts %Tr %[var(txn.answered)] %{{+Q}}r"
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

# See lab.loadbalancer.routing for the maps.
_FRONTEND = """\
frontend {name}
  bind {address}:{port}
  http-request set-var-fmt(txn.request) "%[path]\\r\\n%[req.hdrs]"
  http-request set-var(txn.action) var(txn.request),map_reg_int({rules},0)
  http-request set-var(txn.age) var(txn.action),map_str({ages})
  http-request set-var-fmt(txn.client) "%[var(txn.action)]/%[req.cook({cookie})]"
  http-request set-var(txn.group) rand({parts}),add(txn.action),map_int({weights},{nowhere})
  http-request set-var(txn.kept) var(txn.client),map_str({clients})
  http-request set-var(txn.group) var(txn.kept) if {{ var(txn.kept) -m found }}
  use_backend %[var(txn.group)]
  http-response add-header Set-Cookie "{cookie}=%[be_name]; Max-Age=%[var(txn.age)]; Path=/" \
if {{ var(txn.age) -m found }}
"""

# A response that no target gave, though there was one to ask, is 502 with AWS where HAProxy says 503.
_BACKEND = """\
backend {name}
  balance roundrobin
  http-response set-var(txn.answered) int(1)
  http-after-response set-status 502 if {{ status 503 }} !{{ var(txn.answered) -m found }} {{ nbsrv gt 0 }}
"""

_RELAY = """\
listen api_for_servers
  mode tcp
  option tcplog
  no log
  log stderr format raw local0 notice
  bind {address}:{port}
  server api 127.0.0.1:{api_port}
"""


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
        parts.append(_RELAY.format(address=address, port=port, api_port=api_port))
    return "".join(parts)


def _frontend(folder: Path, frontend: Frontend) -> str:
    files = {kind: path(folder, frontend, kind) for kind in ("rules", "weights", "clients", "ages")}
    return _FRONTEND.format(
        name=name(frontend.listener),
        address=frontend.address,
        port=frontend.port,
        parts=PARTS,
        nowhere=NOWHERE,
        cookie=COOKIE,
        **files,
    )


def _backend(backend: Backend, filled: tuple[Member | None, ...]) -> str:
    lines = []
    for number, member in enumerate(filled):
        where = f"{member.address}:{member.port}" if member else f"{_EMPTY_SLOT} disabled"
        lines.append(f"  server slot{number} {where} pool-purge-delay 60s\n")
    return _BACKEND.format(name=name(backend.group)) + "".join(lines)
