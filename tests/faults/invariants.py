# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold whatever happens to a controller: promises 1 to 5, judged from AWS's side. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.world import COLOURS, Sizes, Snapshot, secrets_of

Entries = Sequence[Mapping[str, Any]]
Calls = Sequence[Mapping[str, Any]]

#: Safe by a condition in the call itself, and news: they change nothing of the env that a lost lock would protect.
NO_CHANGE = ("dynamodb", "sns")
ORIGINAL_MINIMUM = "original-minimum"


@dataclass(frozen=True)
class Names:
    """What an env's things are called.

    Attributes:
        listener: its ARN.
        groups: colour → its target group's ARN.
        stacks: colour → its stack.
        sizes: how many servers it has.
    """

    listener: str
    groups: Mapping[str, str]
    stacks: Mapping[str, str]
    sizes: Sizes


def in_between(names: Names, before: Snapshot, entries: Entries, good: bool) -> list[str]:
    """What was wrong at one of the moments of the journal.

    Args:
        names: the env's.
        before: the env before the first run.
        entries: of the lab's journal since then, of all envs.
        good: whether the new release is; a bad one may become unhealthy at any moment, a shift's own included.
    """
    old = before.live
    weights = dict(before.weights)
    minimum = {colour: group["MinSize"] for colour, group in before.groups.items()}
    found: list[str] = []
    for entry in entries:
        at = f"at entry {entry['number']}"
        if entry["kind"] == "listener" and entry["name"] == names.listener:
            if entry.get("gone"):
                return [*found, f"{at} the listener is gone"]
            now = {colour: entry["weights"].get(arn, 0) for colour, arn in names.groups.items()}
            healthy = {colour: entry["healthy"].get(arn, 0) for colour, arn in names.groups.items()}
            found += [f"{at} {why}" for why in _traffic(names.sizes, now, healthy, old, good)]
            found += [f"{at} {why}" for why in _held(names.sizes, weights, now, minimum, old)]
            weights = now
        elif entry["kind"] == "group":
            for colour in COLOURS:
                if entry["name"].startswith(f"{names.stacks[colour]}-"):
                    minimum[colour] = entry.get("min", 0)
                    found += [f"{at} {why}" for why in _capacity(names.sizes, colour, entry, weights)]
    return found


def _traffic(
    sizes: Sizes, now: Mapping[str, int], healthy: Mapping[str, int], old: str | None, good: bool
) -> list[str]:
    """Promises 1 and 5: who has traffic can serve it."""
    total = sum(now.values())
    if not total:
        return ["no colour has traffic"]
    found = []
    for colour, weight in now.items():
        need = math.ceil(sizes.baseline * weight / total)
        if weight and (good or colour == old) and healthy[colour] < need:
            found.append(f"{colour} has {weight} of {total} of the traffic and {healthy[colour]} of {need} servers")
    return found


def _held(
    sizes: Sizes, before: Mapping[str, int], now: Mapping[str, int], minimum: Mapping[str, int], old: str | None
) -> list[str]:
    """Promise 2: while traffic moves to the new colour, neither can shrink below what all traffic needs."""
    new = next(colour for colour in COLOURS if colour != old)
    if now[new] <= before[new]:
        return []
    return [
        f"traffic moved to {new} while {colour} could shrink to {least} servers"
        for colour, least in minimum.items()
        if least < sizes.baseline
    ]


def _capacity(sizes: Sizes, colour: str, group: Mapping[str, Any], weights: Mapping[str, int]) -> list[str]:
    """Promises 2 and 5: who serves keeps its servers."""
    if not weights[colour]:
        return []
    if group.get("gone"):
        return [f"the group of {colour}, which serves, is gone"]
    found = []
    if group["desired"] < sizes.baseline:
        found.append(f"{colour}, which serves, wants {group['desired']} of {sizes.baseline} servers")
    if group["min"] < sizes.minimum:
        found.append(f"{colour}, which serves, may shrink to {group['min']} servers")
    return found


def moment(seen: Snapshot) -> list[str]:
    """What is wrong while nobody is at work: promise 6, the guard is armed before traffic is split."""
    split = all(seen.weights.values())
    begun = seen.lock.get("deployment")
    if split and not begun:
        return ["traffic is split and the ledger knows of no deployment"]
    if split and begun and not begun.get("turned_back") and not seen.guard.get("armed"):
        return ["traffic is split and the guard is not armed"]
    return []


def written(names: Names, runs: Sequence[Calls], entries: Entries, orphaned_at: int | None) -> list[str]:
    """What was wrong with the writes: promises 4 and 5.

    Args:
        names: the env's.
        runs: the calls of each controller, in the order in which they were started.
        entries: of the lab's journal.
        orphaned_at: the number of the last call before the first controller lost its parent, if it did.
    """
    changes = [[call for call in calls if _changes(call)] for calls in runs]
    found = []
    for number, own in enumerate(changes[1:], start=1):
        if not own:
            continue
        begin = own[0]["number"]
        for late in (call for calls in changes[:number] for call in calls if call["number"] > begin):
            found.append(f"{_told(late)} of an earlier controller came after {_told(own[0])} of a later one")
    if orphaned_at is not None:
        found += [
            f"{_told(call)} was sent after its parent had been killed"
            for call in changes[0]
            if call["number"] > orphaned_at
        ]
    deletes = [call for calls in changes for call in calls if call["operation"] == "DeleteStack"]
    for call in deletes:
        colour = next((colour for colour, stack in names.stacks.items() if stack in call["resource"]), None)
        if colour is None or _weight(names, entries, colour, call["time"]):
            found.append(f"{_told(call)} while it had traffic")
    return found


def _changes(call: Mapping[str, Any]) -> bool:
    return bool(call["writes"] and call["executed"] and call["service"] not in NO_CHANGE)


def _told(call: Mapping[str, Any]) -> str:
    return f"{call['operation']} {call['resource']} (call {call['number']})"


def _weight(names: Names, entries: Entries, colour: str, time: float) -> int:
    seen = [entry for entry in entries if entry["name"] == names.listener and entry["time"] <= time]
    return int(seen[-1]["weights"].get(names.groups[colour], 0)) if seen else 0


def at_the_end(sizes: Sizes, before: Snapshot, after: Snapshot, release: str, result: str) -> list[str]:
    """What is wrong or left over once the last run has ended.

    Args:
        sizes: how many servers the env has.
        before, after: the env.
        release: what was deployed.
        result: what the last run said.
    """
    live, old = after.live, before.live
    if live is None:
        return [f"traffic is split: {dict(after.weights)}"]
    found = []
    wanted = old if result == "rolled_back" else next(colour for colour in COLOURS if colour != old)
    if live != wanted or (result != "rolled_back" and after.release(live) != release):
        found.append(f"it says {result} and {after.release(live)} serves from {live}")
    found += _stack(after)
    found += [why for colour, stack in after.colours.items() for why in _configuration(after, colour, stack)]
    if left := after.lock.keys() & {"holder", "deployment"}:
        found.append(f"the lock is not free: {', '.join(sorted(left))}")
    if after.guard.get("armed"):
        found.append("the guard is still armed")
    found += [why for colour, group in after.groups.items() for why in _group(sizes, colour, group, live, old)]
    if len(after.history) <= len(before.history):
        found.append("the history has no new record")
    elif result not in {record["result"] for record in after.history} | {"nothing_to_do"}:
        found.append(f"the history does not say {result}")
    return found


def _stack(after: Snapshot) -> Iterable[str]:
    parameters = after.parameters
    if not after.edge["StackStatus"].endswith("_COMPLETE"):
        yield f"the edge is {after.edge['StackStatus']}"
    for colour, weight in after.weights.items():
        if int(parameters[f"{colour.capitalize()}Weight"]) != weight:
            yield f"the listener gives {colour} {weight}, its stack {parameters[f'{colour.capitalize()}Weight']}"
    if parameters["PreviewColour"] != "none" or after.rules:
        yield f"the preview is open: {parameters['PreviewColour']}, {after.rules} rules"


def _configuration(after: Snapshot, colour: str, stack: Mapping[str, Any]) -> Iterable[str]:
    """Its servers read one version of everything, whenever they start."""
    secrets = secrets_of(stack)
    if not secrets:
        yield f"{colour} has no manifest of its configuration"
    for secret, version in secrets.items():
        if stack["StackName"] not in after.labels[secret].get(version, []):
            yield f"no label keeps the version of {secret} that {colour} reads"


def _group(sizes: Sizes, colour: str, group: Mapping[str, Any], live: str, old: str | None) -> Iterable[str]:
    tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}
    # The colour from before keeps its size through its window, and the tag says what is to be restored.
    kept = colour == old != live and tags.get(ORIGINAL_MINIMUM) == str(sizes.minimum)
    if group["MinSize"] != sizes.minimum and not kept:
        yield f"the minimum of {colour} is {group['MinSize']}, not restored to {sizes.minimum}"
    if group["DesiredCapacity"] < sizes.baseline:
        yield f"{colour} has shrunk to {group['DesiredCapacity']} servers"
    if ORIGINAL_MINIMUM in tags and not kept:
        yield f"{colour} still has the tag {ORIGINAL_MINIMUM}"
    suspended = [process["ProcessName"] for process in group.get("SuspendedProcesses", [])]
    if suspended and colour in (live, old):
        yield f"{', '.join(suspended)} of {colour} is still suspended"
