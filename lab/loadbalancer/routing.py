# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a listener's requests go, as maps that HAProxy looks up. Pure.

A listener has four maps, each replaced as a whole over the runtime socket, so that no change of a rule, a weight or
stickiness reloads HAProxy. The rules' map leads from a request, given as its path and its headers, to the number of an
action (0 is the default one); that number plus a random part leads to a target group in the weights' map; that number
and the cookie of a sticky client to the group that it is for in the clients' map, and to the cookie's age in the ages'.

Rules of comparison:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from lab.loadbalancer.model import Condition, Forward, Frontend, Rule

#: Parts into which an action's requests are divided; a weight of 1 in 999 is still seen.
PARTS = 1000
NOWHERE = "nowhere"
Maps = dict[Path, tuple[str, ...]]

_LINE = r"\r\n"
_WILDCARDS = {"*": r"[^\r\n]*", "?": r"[^\r\n]"}


def name(arn: str) -> str:
    """An ARN's last part as a name that HAProxy takes."""
    return re.sub(r"\W", "_", arn.rsplit(":", 1)[-1])


def path(folder: Path, frontend: Frontend, kind: str) -> Path:
    """The file of a listener's map: ``rules``, ``weights``, ``clients`` or ``ages``."""
    return folder / f"{name(frontend.listener)}.{kind}"


def rules(folder: Path, frontend: Frontend) -> Maps:
    """The rules' map of a listener; the first line that fits decides."""
    lines = tuple(f"{_request(rule.conditions)} {_number(rule)}" for rule in frontend.rules)
    return {path(folder, frontend, "rules"): lines}


def actions(folder: Path, frontend: Frontend) -> Maps:
    """The maps of a listener that say what its actions do."""
    numbered = [(0, frontend.default), *((_number(rule), rule.forward) for rule in frontend.rules)]
    sticky = [(number, forward) for number, forward in numbered if forward.sticky_seconds]
    clients = (
        f"{number}/{name(share.group)} {name(share.group)}" for number, forward in sticky for share in forward.shares
    )
    lines = {
        "weights": tuple(line for number, forward in numbered for line in _weights(number, forward)),
        "clients": tuple(clients),
        "ages": tuple(f"{number} {forward.sticky_seconds}" for number, forward in sticky),
    }
    return {path(folder, frontend, kind): found for kind, found in lines.items()}


def _number(rule: Rule) -> int:
    """A rule's number, the same for ever and no other rule's: a multiple of the parts."""
    return (int.from_bytes(hashlib.sha256(rule.id.encode()).digest()[:6]) + 1) * PARTS


def _weights(number: int, forward: Forward) -> list[str]:
    total = sum(share.weight for share in forward.shares)
    lines, low, weight = [], 0, 0
    for share in forward.shares:
        weight += share.weight
        high = round(weight * PARTS / total) if total else 0
        if high > low:
            lines.append(f"{number + low}:{number + high - 1} {name(share.group)}")
            low = high
    return lines


def _request(conditions: tuple[Condition, ...]) -> str:
    """A pattern for the path and the headers of a request, each on a line, that fits every condition."""
    return "^" + "".join(f"(?={_lines(condition)})" for condition in conditions)


def _lines(condition: Condition) -> str:
    value = "|".join(_pattern(value) for value in condition.values)
    if condition.field == "path-pattern":
        return f"(?:{value}){_LINE}"
    if condition.field == "host-header":
        return f"{_header('host')}(?i:{value})(?::[0-9]+)?{_LINE}"
    return f"{_header(condition.header)}(?i:{value}){_LINE}"


def _header(header: str) -> str:
    return rf"[\s\S]*{_LINE}(?i:{_pattern(header)}):\x20*"


def _pattern(value: str) -> str:
    """A value with wildcards; what is no letter or digit as its code, so that nothing has a meaning of its own."""
    return "".join(_WILDCARDS.get(character) or _literal(character) for character in value)


def _literal(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
