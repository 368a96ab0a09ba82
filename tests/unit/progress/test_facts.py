# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An env as data, and the table that status.yml makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.history import Record
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Colour,
    ColourStack,
    Deployment,
    Edge,
    GuardOrder,
    Lease,
    LedgerSeen,
    Observed,
    StackPhase,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import (
    environment_facts,
    history_facts,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.windows import Window, idle_window
from tests.unit.progress.stories import NOON

TEMPLATE = Path(__file__).resolve().parents[3] / "roles" / "deployment" / "templates" / "status.j2"
BLUE, GREEN = Colour.BLUE, Colour.GREEN
HOUR = timedelta(hours=1)
TEN_AGO = NOON - timedelta(minutes=10)


def edge(blue: int, green: int, **changed: Any) -> Edge:
    facts = {"swapped_at": TEN_AGO, **changed}
    return Edge(
        "shop-prod-edge",
        StackPhase.READY,
        "UPDATE_COMPLETE",
        "lb.example.com",
        80,
        False,
        {BLUE: blue, GREEN: green},
        **facts,
    )


def stack(colour: Colour, release: str) -> ColourStack:
    return ColourStack(
        colour, f"shop-prod-{colour}", f"id-{colour}", StackPhase.READY, "CREATE_COMPLETE", NOON - 3 * HOUR, release,
        f"ami-{release}", "identity", desired=2, minimum=2, maximum=4, healthy=1,
    )  # fmt: skip


def record(release: str, colour: Colour, by: str, result: str = "deployed", reason: str = "as planned") -> Record:
    return Record(
        "20260102-110000-3f9a", "deploy", release, f"ami-{release}", colour, "", "canary", by, NOON - HOUR,
        NOON - HOUR + timedelta(minutes=7, seconds=5), result, reason,
    )  # fmt: skip


SWAPPED = Observed(edge(0, 100), {BLUE: stack(BLUE, "r1"), GREEN: stack(GREEN, "r2")})
HISTORY = [
    record("r2", GREEN, "ann"),
    record("r9", BLUE, "eve", "rolled_back", "gate analysis"),
    record("r1", BLUE, "bob"),
]
UNDER_WAY = LedgerSeen(
    Lease("ann@build-7", "deploy r3", TEN_AGO, NOON - timedelta(minutes=5), 7),
    Deployment(
        "20260102-115000-77aa",
        "r3",
        "ami-r3",
        "identity",
        BLUE,
        GREEN,
        "r2",
        TEN_AGO,
        "ann",
        turned_back="alarm prod-5xx",
    ),
    GuardOrder("20260102-115000-77aa", {BLUE: 0, GREEN: 100}, ("prod-5xx",), False, TEN_AGO, "prod-5xx"),
)


def facts(seen: Observed) -> dict[str, Any]:
    return environment_facts(seen, NOON, HOUR, 5 * HOUR, HISTORY)


def test_facts_are_data_that_json_knows() -> None:
    for seen in (SWAPPED, replace(SWAPPED, ledger=UNDER_WAY), Observed(edge(0, 0), {BLUE: None, GREEN: None})):
        assert json.loads(json.dumps(facts(seen))) == facts(seen)


def test_the_live_colour_serves_since_the_swap_the_idle_one_is_there_since_it_was_made() -> None:
    colours = facts(SWAPPED)["colours"]
    assert (colours["green"]["since"], colours["blue"]["since"]) == (
        "2026-01-02T11:50:00+00:00",
        "2026-01-02T09:00:00+00:00",
    )


def test_who_deployed_what_a_colour_holds() -> None:
    """Not who deployed something else there later, in vain."""
    colours = facts(SWAPPED)["colours"]
    assert (colours["green"]["by"], colours["blue"]["by"]) == ("ann", "bob")


def test_only_the_idle_colour_has_a_window() -> None:
    colours = facts(SWAPPED)["colours"]
    assert (colours["green"]["window_left"], colours["blue"]["window_left"]) == (None, 50 * 60)


TURNED_BACK = replace(stack(GREEN, "r2"), created_at=NOON - HOUR)


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (SWAPPED, Window(timedelta(minutes=50), turned_back=False)),
        (replace(SWAPPED, edge=edge(0, 100, swapped_at=NOON - 2 * HOUR)), Window(timedelta(0), turned_back=False)),
        (replace(SWAPPED, edge=edge(0, 100, swapped_at=None)), None),
        (replace(SWAPPED, edge=edge(50, 50)), None),
        (Observed(edge(100, 0), {BLUE: stack(BLUE, "r1"), GREEN: None}), None),
        (
            Observed(edge(100, 0, swapped_at=NOON - 2 * HOUR), {BLUE: stack(BLUE, "r1"), GREEN: TURNED_BACK}),
            Window(4 * HOUR, turned_back=True),
        ),
    ],
    ids=["some", "passed", "nothing was swapped yet", "traffic is split", "no colour is idle", "turned back"],
)
def test_the_idle_colours_window(seen: Observed, left: Window | None) -> None:
    assert idle_window(seen, HOUR, 5 * HOUR, NOON) == left


def test_a_lock_that_nobody_renewed_has_expired() -> None:
    assert facts(replace(SWAPPED, ledger=UNDER_WAY))["lock"]["expired"] is True
    assert environment_facts(replace(SWAPPED, ledger=UNDER_WAY), TEN_AGO)["lock"]["expired"] is False


def test_history_says_what_came_of_it_and_how_long_it_took() -> None:
    entry = history_facts(HISTORY)[1]
    assert {entry[key] for key in ("release", "result", "reason", "took", "by")} == {
        "r9", "rolled_back", "gate analysis", "7 m 5 s", "eve",
    }  # fmt: skip


def table(seen: Observed, history: list[Record]) -> str:
    """As Ansible renders it."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(TEMPLATE.read_text()).render(
        environment_settings={"app": "shop", "env": "prod"},
        deployment_seen={"environment": facts(seen), "history": history_facts(history)},
    )


@pytest.mark.parametrize(
    "row",
    [
        "blue idle 0 r1 ami-r1 1/2 2026-01-02 09:00 bob 0 h 50 m",
        "green live 100 r2 ami-r2 1/2 2026-01-02 11:50 ann -",
        "20260102-110000-3f9a deploy r9 rolled_back 2026-01-02 11:07 7 m 5 s eve gate analysis",
        "20260102-110000-3f9a deploy r1 deployed 2026-01-02 11:07 7 m 5 s bob",
    ],
)
def test_the_table_after_a_swap(row: str) -> None:
    assert row in [" ".join(line.split()) for line in table(SWAPPED, HISTORY).splitlines()]


def test_a_servers_log_is_no_part_of_the_table() -> None:
    shown = table(
        SWAPPED,
        [
            record("r3", BLUE, "ann", "aborted", "0 of 2 healthy\nNoMethodError"),
            record("r2", GREEN, "ann", "dirty", ""),
        ],
    )
    assert "0 of 2 healthy" in shown and "NoMethodError" not in shown


def test_the_table_of_a_new_env() -> None:
    shown = table(Observed(edge(0, 0, swapped_at=None), {BLUE: None, GREEN: None}), [])
    assert "last swap never" in shown
    assert "unfinished" not in shown and "lock" not in shown and "result" not in shown


def test_the_table_while_something_is_under_way() -> None:
    shown = table(replace(SWAPPED, edge=edge(5, 95), ledger=UNDER_WAY), [])
    assert "unfinished: deploy 20260102-115000-77aa of r3 to blue, begun 2026-01-02 11:50 by ann" in shown
    assert "turning back: alarm prod-5xx" in shown
    assert "lock: ann@build-7 since 2026-01-02 11:50, to deploy r3 (lapsed: its controller is gone)" in shown
    assert "guard: fired 2026-01-02 11:50 on prod-5xx" in shown
    assert "green  split     95" in shown
