# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies in roles/environment/files/permissions allow what is done, and nothing that isn't needed."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.lab.contract.support import COLOUR as COLOUR_TEMPLATE
from tests.lab.contract.support import EDGE as EDGE_TEMPLATE
from tests.lab.permissions.conftest import Asked, Team
from tests.lab.permissions.declared import COLOUR, EDGE, RARE, SHIFT, needed
from tests.lab.permissions.policies import MOST_CHARACTERS, Policy, covers

HELD = {"read": ("read",), "deploy": ("read", "deploy", "config"), "edge": ("read", "edge")}
"""Who → the policies that they have."""

DECLARED = {"read": set[str](), "deploy": needed(COLOUR, SHIFT), "config": set[str](), "edge": needed(EDGE)}
"""Policy → what CloudFormation does with its holder's rights."""


def refused(asked: Asked, held: list[Policy]) -> list[str]:
    return sorted(
        f"{action} on {resource or 'something'}"
        for action, resource in asked
        if not any(policy.allows(action, resource) for policy in held)
    )


@pytest.mark.parametrize("who", HELD)
def test_every_recorded_call_is_allowed(who: str, team: Team, policies: dict[str, Policy]) -> None:
    assert refused(team.asked_for(who), [policies[name] for name in HELD[who]]) == []


@pytest.mark.parametrize("name", DECLARED)
def test_what_cloudformation_does_with_the_callers_rights_is_allowed(name: str, policies: dict[str, Policy]) -> None:
    allowed = policies["read"].actions | policies[name].actions
    missing = {action for action in DECLARED[name] if not any(covers(pattern, action) for pattern in allowed)}
    assert missing == set()


@pytest.mark.parametrize("name", DECLARED)
def test_nothing_is_allowed_that_is_not_needed(name: str, team: Team, policies: dict[str, Policy]) -> None:
    recorded = {action for action, _resource in set[tuple[str, str | None]]().union(*map(team.asked_for, HELD))}
    reasons = recorded | DECLARED[name] | set(RARE)
    assert {action for action in policies[name].actions if not any(covers(action, known) for known in reasons)} == set()


def test_every_resource_type_of_the_templates_has_its_actions() -> None:
    for template, known in ((COLOUR_TEMPLATE, COLOUR), (EDGE_TEMPLATE, EDGE)):
        resources = yaml.safe_load(template.read_text(encoding="utf-8"))["Resources"].values()
        assert {resource["Type"] for resource in resources} == set(known), template.name


def test_another_environment_is_out_of_reach(team: Team, policies: dict[str, Policy]) -> None:
    """Each resource that can be named is another environment's; what IAM knows no names for is left out."""
    asked = {(action, resource) for action, resource in team.asked_for("deploy") if resource and "-rights-" in resource}
    others = {(action, re.sub("-rights-", "-prod-", resource or "")) for action, resource in asked}
    by_generated_name = {each for each in others if each[0].startswith("elasticloadbalancing:")}
    assert others - by_generated_name
    for action, resource in others - by_generated_name:
        assert not any(policies[name].allows(action, resource) for name in HELD["deploy"]), (action, resource)


@pytest.mark.parametrize("name", DECLARED)
def test_a_policy_fits_into_iam_and_names_no_account(name: str) -> None:
    text = Policy.read(name).text
    assert len("".join(text.split())) < MOST_CHARACTERS
    assert not re.search(r"\d{12}", text)
    assert set(re.findall(r"<(\w+)>", text)) <= {"account", "region", "app", "env"}
