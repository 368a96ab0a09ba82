# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a deployment looks at the config stores, and what another configuration means for a colour."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import engine as rooms
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import MayNotRead
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import Engine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import ColourStack, Observed
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import Result
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Deployed, Pins
from tests.unit.deployment.memory import Env, Time
from tests.unit.deployment.test_engine import SETTINGS
from tests.unit.deployment.worlds import BLUE, GREEN, begun, deployed, edge, ledger, stack, world


@dataclass
class Stores:
    """What `pin` finds: the digest of the versions, or an error. Counts the looks."""

    digest: str = "new"
    error: Refused | None = None
    looks: int = 0
    pinned: list[Deployed] = field(default_factory=list)

    def pin(self, _clients: object, _settings: object, wanted: Deployed, _tell: object) -> Deployed:
        if wanted.pins:
            return wanted
        self.looks += 1
        if self.error:
            raise self.error
        identity = f"{wanted.identity.partition('.')[0]}.{self.digest}"
        self.pinned.append(replace(wanted, pins=Pins(self.digest), identity=identity))
        return self.pinned[-1]


Build = Callable[..., tuple[Engine, Env]]


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Stores:
    found = Stores()
    monkeypatch.setattr(rooms, "pin", found.pin)
    return found


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, time: Time) -> Build:
    def build(seen: Observed, wanted: Deployed) -> tuple[Engine, Env]:
        env = Env(seen, wanted, time)
        monkeypatch.setattr(rooms, "Actor", lambda _clients, _settings: env)
        monkeypatch.setattr(rooms, "Judge", lambda _clients, _settings: env)
        monkeypatch.setattr(rooms, "check_start", lambda *_asked: None)
        monkeypatch.setattr(proof, "ask", env.answers)
        nothing: t.Any = None
        return Engine(
            nothing, replace(SETTINGS, gates=SETTINGS.gates), t.cast(t.Any, env), wanted, env.told.append
        ), env

    return build


def serves(release: str, configuration: str) -> ColourStack:
    return stack(BLUE, release, identity=f"id-{release}.{configuration}")


def identity(env: Env) -> str:
    green = env.seen.colours[GREEN]
    assert green
    return green.identity


def test_a_colour_that_is_made_is_of_the_configuration_that_was_found(stores: Stores, build: Build) -> None:
    engine, env = build(world(edge(blue=100), serves("r1", "old")), deployed("r2"))
    assert engine.run().plan.result is Result.DEPLOYED
    assert (identity(env), stores.looks) == ("id-r2.new", 1)


def test_another_configuration_alone_is_no_reason_to_deploy_and_is_not_looked_for(stores: Stores, build: Build) -> None:
    engine, env = build(world(edge(blue=100), serves("r1", "old")), deployed("r1"))
    assert engine.run().plan.result is Result.NOTHING_TO_DO
    assert (env.log, env.looks, stores.looks) == ([], 1, 0)


def test_what_an_earlier_run_left_over_is_put_right_without_a_look(stores: Stores, build: Build) -> None:
    blue = replace(serves("r1", "old"), original_minimum=1)
    engine, env = build(world(edge(blue=100), blue), deployed("r1"))
    engine.run()
    assert stores.looks == 0
    assert env.seen.colours[GREEN] is None


def test_stores_that_do_not_fit_are_a_refusal_before_the_lock_is_taken(stores: Stores, build: Build) -> None:
    stores.error = Refused("KEY is required and missing")
    engine, env = build(world(edge(blue=100), serves("r1", "old")), deployed("r2"))
    with pytest.raises(Refused, match="KEY is required"):
        engine.run()
    assert env.log == []


def refresh(release: str, configuration: str) -> Deployed:
    return replace(deployed(release), identity=f"id-{release}.{configuration}", pins=Pins(configuration))


def test_a_refresh_makes_a_colour_where_the_configuration_is_another(stores: Stores, build: Build) -> None:
    engine, env = build(world(edge(blue=100), serves("r1", "old")), refresh("r1", "new"))
    assert engine.run().plan.result is Result.DEPLOYED
    assert identity(env) == "id-r1.new"
    assert env.seen.edge.weights == {BLUE: 0, GREEN: 100}


def test_a_refresh_of_what_is_there_is_nothing_to_do(stores: Stores, build: Build) -> None:
    engine, env = build(world(edge(blue=100), serves("r1", "old")), refresh("r1", "old"))
    assert engine.run().plan.result is Result.NOTHING_TO_DO
    assert env.log == []


def test_a_colour_without_a_configuration_of_its_own_is_refreshed_too(stores: Stores, build: Build) -> None:
    engine, env = build(world(edge(blue=100), stack(BLUE, "r1")), refresh("r1", "new"))
    assert engine.run().plan.result is Result.DEPLOYED
    assert identity(env) == "id-r1.new"


def test_an_idle_colour_with_an_older_configuration_makes_room(stores: Stores, build: Build) -> None:
    """It was turned back, perhaps because of that configuration."""
    idle = stack(GREEN, "r2", 1, identity="id-r2.old", replaces_unhealthy=False)
    engine, env = build(world(edge(blue=100), serves("r1", "old"), idle), deployed("r2"))
    planned = engine.preview().plan.steps
    assert "r2 with an older configuration" in str([getattr(step, "reason", "") for step in planned])
    engine.run()
    assert "delete green" in env.log
    assert identity(env) == "id-r2.new"


def test_an_idle_colour_with_this_configuration_is_taken_as_it_is(stores: Stores, build: Build) -> None:
    idle = stack(GREEN, "r2", 1, identity="id-r2.new", replaces_unhealthy=False)
    engine, env = build(world(edge(blue=100), serves("r1", "old"), idle), deployed("r2"))
    engine.run()
    assert "delete green" not in env.log
    assert env.seen.edge.weights == {BLUE: 0, GREEN: 100}


UNDER_WAY = ledger(begun("r2", identity="id-r2.old"))


@pytest.mark.parametrize("wanted", [deployed("r2"), refresh("r2", "new")], ids=["deploy", "refresh"])
def test_promise_3_a_run_that_goes_on_keeps_the_colour_that_was_made_whatever_is_in_the_stores_by_now(
    stores: Stores, build: Build, wanted: Deployed
) -> None:
    made = stack(GREEN, "r2", 1, identity="id-r2.old", replaces_unhealthy=False)
    engine, env = build(world(edge(blue=100), serves("r1", "old"), made, ledger=UNDER_WAY), wanted)
    assert engine.run().plan.result is Result.DEPLOYED
    assert not any(line.startswith(("create", "delete")) for line in env.log)
    assert stores.looks == 0


def test_promise_3_a_run_that_goes_on_before_the_colour_was_made_gives_it_what_is_there_now(
    stores: Stores, build: Build
) -> None:
    engine, env = build(world(edge(blue=100), serves("r1", "old"), ledger=UNDER_WAY), deployed("r2"))
    assert engine.run().plan.result is Result.DEPLOYED
    assert stores.looks == 1
    # The deployment's: by it a third run knows its own colour.
    assert identity(env) == "id-r2.old"


def test_the_refresh_of_a_release_that_is_being_refreshed_goes_on(stores: Stores, build: Build) -> None:
    under_way = ledger(begun("r1", identity="id-r1.new"))
    green = stack(GREEN, "r1", 1, identity="id-r1.new", replaces_unhealthy=False)
    engine, env = build(world(edge(blue=100), serves("r1", "old"), green, ledger=under_way), deployed("r1"))
    assert engine.run().plan.result is Result.DEPLOYED
    assert env.seen.edge.weights == {BLUE: 0, GREEN: 100}


def test_a_look_at_the_plan_needs_no_right_to_read_secrets(stores: Stores, build: Build) -> None:
    stores.error = MayNotRead("denied")
    engine, env = build(world(edge(blue=100), serves("r1", "old")), deployed("r2"))
    assert engine.preview().plan.result is Result.DEPLOYED
    assert env.told == ["prod | denied"]
    with pytest.raises(Refused):
        engine.run()


def test_a_configuration_that_does_not_fit_is_seen_in_the_plan(stores: Stores, build: Build) -> None:
    stores.error = Refused("KEY is required and missing")
    engine, _env = build(world(edge(blue=100), serves("r1", "old")), deployed("r2"))
    with pytest.raises(Refused, match="KEY is required"):
        engine.preview()
