# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab API without servers for the guard's tests; each has an edge of its own, with traffic on both colours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import octets
from tests.edge import edge_template
from tests.lab.contract import support
from tests.lab.guard.world import World, stack_of

#: A lab beside that of the contract cases, whose API may be up at the same time.

Start = Callable[..., subprocess.Popen[str]]
Play = Callable[..., tuple[bool, str]]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """The API, ended after the last test."""
    with support.running(tmp_path_factory.mktemp("lab-api"), octets.GUARD) as started:
        yield started


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edge's template as the role gives it to CloudFormation."""
    written = tmp_path_factory.mktemp("edge") / "edge.json"
    written.write_text(json.dumps(edge_template()))
    return written


@pytest.fixture
def begun(api: support.Api, template: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Makes an edge of the test's own, in the middle of a canary deployment to green that has armed the guard.

    Afterwards it is gone, and what its guard was at has ended: every guard of the account hears of every alarm, and a
    fault of the next test is for that one's calls.
    """
    env = "g" + "".join(letter for letter in request.node.name if letter.isalnum())[-20:].lower()
    made = []

    def make(**parameters: object) -> World:
        made.append(World.begin(api, template, env, **parameters))
        return made[-1]

    yield make
    for world in made:
        world.rests()
    api.delete_stack(stack_of(env))


@pytest.fixture
def world(begun: Callable[..., World]) -> World:
    """As `begun`; the controller has died and its lease is over."""
    made = begun()
    made.ledger.release()
    return made


@pytest.fixture
def start(api: support.Api, tmp_path: Path) -> Start:
    """Starts environment.yml for an env, with keys of the env's file and parameters of the edge's template."""
    credentials = tmp_path / "credentials"
    credentials.write_text("[mine]\naws_access_key_id = lab\naws_secret_access_key = lab\n")

    def begin(
        env: str, *arguments: str, keys: Mapping[str, object] | None = None, **parameters: object
    ) -> subprocess.Popen[str]:
        (tmp_path / "environments").mkdir(exist_ok=True)
        file = {"app": "shop", "region": "eu-west-1", **(keys or {})}
        (tmp_path / "environments" / f"{env}.yml").write_text(json.dumps(file))
        extra = json.dumps({"env": env, "environment_edge_parameters": parameters})
        playbook = support.CHECKOUT / "playbooks" / "environment.yml"
        return subprocess.Popen(
            [Path(sys.executable).parent / "ansible-playbook", playbook, "-e", extra, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": api.url,
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
                "AWS_PROFILE": "mine",
                "AWS_EC2_METADATA_DISABLED": "true",
                "ANSIBLE_LOCALHOST_WARNING": "false",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return begin


@pytest.fixture
def play(start: Start) -> Play:
    """Runs it to its end; returns whether it went well, and what it said."""

    def run(env: str, *arguments: str, **given: Any) -> tuple[bool, str]:
        process = start(env, *arguments, **given)
        said, _nothing = process.communicate()
        return process.returncode == 0, said

    return run
