# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab API without servers for the guard's tests; each has an edge of its own, with traffic on both colours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge import edge_template
from tests.lab.contract import support
from tests.lab.guard.world import World, stack_of

#: A lab beside that of the contract cases, whose API may be up at the same time.
OCTET = 94


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """The API, ended after the last test."""
    started, process = support.start(tmp_path_factory.mktemp("lab-api"), OCTET)
    yield started
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edge's template as the role gives it to CloudFormation."""
    written = tmp_path_factory.mktemp("edge") / "edge.json"
    written.write_text(json.dumps(edge_template()))
    return written


@pytest.fixture
def begun(api: support.Api, template: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Makes an edge of the test's own, in the middle of a canary deployment to green that has armed the guard.

    Afterwards it is gone: every guard of the account hears of every alarm.
    """
    env = "g" + "".join(letter for letter in request.node.name if letter.isalnum())[-20:].lower()

    def make(**parameters: object) -> World:
        return World.begin(api, template, env, **parameters)

    yield make
    api.delete_stack(stack_of(env))


@pytest.fixture
def world(begun: Callable[..., World]) -> World:
    """As `begun`; the controller has died and its lease is over."""
    made = begun()
    made.ledger.release()
    return made
