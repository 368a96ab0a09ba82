# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""environment.yml works in the account and with the role that the env's file names."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.api.settings import ACCOUNT
from tests.lab.contract.support import Api
from tests.lab.guard.conftest import Play
from tests.lab.guard.world import stack_of

OTHER = "111122223333"
Calls = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def calls(api: Api) -> Calls:
    """The calls since the test began, as the lab saw them."""

    def seen(since: int = 0) -> dict[str, Any]:
        with urllib.request.urlopen(f"{api.url}/_lab/calls?since={since}", timeout=10) as answer:
            return dict(json.load(answer))

    start = seen()["last"]
    return lambda: list(seen(start)["calls"])


@pytest.fixture
def env(api: Api, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name of an env; its edge is gone afterwards."""
    name = "a" + "".join(letter for letter in request.node.name if letter.isalnum())[-20:].lower()
    yield name
    if [each for each in api.stacks.list_stacks()["StackSummaries"] if each["StackName"] == stack_of(name)]:
        api.delete_stack(stack_of(name))


@pytest.mark.parametrize("mode", [(), ("--check",)])
def test_credentials_of_another_account_are_refused_before_the_first_write(
    play: Play, env: str, calls: Calls, mode: tuple[str, ...]
) -> None:
    well, said = play(env, *mode, keys={"account": OTHER})
    assert not well
    assert f"the credentials are of account {ACCOUNT}, the env's file names {OTHER}; nothing was changed" in said
    assert [call["operation"] for call in calls() if call["writes"]] == []


def test_every_call_is_the_roles(play: Play, env: str, calls: Calls) -> None:
    """Although the person's own profile is set; making and updating are both looked at."""
    keys = {"account": ACCOUNT, "role": f"arn:aws:iam::{ACCOUNT}:role/deployer"}
    for parameters in ({}, {"SlowSeconds": 2}):
        well, said = play(env, keys=keys, **parameters)
        assert well, said
        made = [call for call in calls() if call["client"] == "lab" and call["operation"] != "AssumeRole"]
        assert made == []
    assert {"CreateStack", "UpdateStack", "UpdateItem"} <= {call["operation"] for call in calls()}


def test_a_role_that_can_not_be_assumed_is_named(play: Play, env: str, calls: Calls, api: Api) -> None:
    role = f"arn:aws:iam::{OTHER}:role/deployer"
    fault = {"match": {"service": "sts", "operation": "AssumeRole"}, "effect": "denied", "times": 9}
    faults = f"{api.url}/_lab/faults"
    urllib.request.urlopen(urllib.request.Request(faults, json.dumps(fault).encode()), timeout=10).close()
    well, said = play(env, keys={"role": role})
    urllib.request.urlopen(urllib.request.Request(faults, method="DELETE"), timeout=10).close()
    assert not well
    assert (
        f"Could not assume the role {role}: User: lab is not authorized to perform: sts:AssumeRole; nothing was" in said
    )
    assert [call["operation"] for call in calls() if call["writes"]] == []


def test_no_secret_is_shown(play: Play, env: str) -> None:
    """Most of all to a person who asks for every detail; the id of a key is none."""
    role = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    well, said = play(env, "--check", "-vvv", keys={"account": ACCOUNT, "role": role})
    assert well, said
    for name in ("secret_key", "session_token"):
        assert set(re.findall(rf'"{name}": ("?\w+)', said)) == {'"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER'}
    assert '"sts_creds"' not in said
