# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events → why a stack failed, and what its rollback is stuck on, as tables."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.stack_events import (
    current_operation,
    find_cause,
    line,
    stuck_resources,
)
from tests.unit.progress.stories import arn, reader, story

PARENT = """
    0 . CREATE_IN_PROGRESS User Initiated
    1 Network>net CREATE_IN_PROGRESS
    9 Network>net CREATE_FAILED Embedded stack was not successfully created: failed to create: [Subnet].
    10 . ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Network].
    11 Network>net DELETE_IN_PROGRESS
    15 . ROLLBACK_COMPLETE
"""

CAUSES: dict[str, tuple[dict[str, str], str]] = {
    "the first failed resource, not the ones cancelled since": (
        {
            "top": """
                0 . CREATE_IN_PROGRESS User Initiated
                1 Group CREATE_IN_PROGRESS
                2 Role CREATE_FAILED Resource creation cancelled
                3 Group CREATE_FAILED Group did not stabilize.
                4 Alarm CREATE_FAILED Resource creation cancelled
                5 . CREATE_FAILED The following resource(s) failed to create: [Role, Group, Alarm].
            """
        },
        "Group (AWS::EC2::Thing): Group did not stabilize.",
    ),
    "the failure, not what its rollback stumbled over later": (
        {
            "top": """
                0 . UPDATE_IN_PROGRESS User Initiated
                1 Listener UPDATE_FAILED Certificate is gone
                2 . UPDATE_ROLLBACK_IN_PROGRESS
                3 Alarm UPDATE_FAILED Topic is gone
                4 . UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [Alarm].
            """
        },
        "Listener (AWS::EC2::Thing): Certificate is gone",
    ),
    "of the newest operation, not of one before": (
        {
            "top": """
                0 . CREATE_IN_PROGRESS
                1 . CREATE_COMPLETE
                10 . UPDATE_IN_PROGRESS
                11 Table UPDATE_FAILED From last week
                12 . UPDATE_ROLLBACK_COMPLETE
                20 . DELETE_IN_PROGRESS
                21 Group DELETE_FAILED Still has servers
                22 . DELETE_FAILED The following resource(s) failed to delete: [Group].
            """
        },
        "Group (AWS::EC2::Thing): Still has servers",
    ),
    "a word like cancelled in AWS's own reason is no consequence": (
        {
            "top": """
                0 . UPDATE_IN_PROGRESS
                1 Order UPDATE_FAILED The request was cancelled by the service
            """
        },
        "Order (AWS::EC2::Thing): The request was cancelled by the service",
    ),
    "no resource failed: the stack's own words": (
        {
            "top": """
                0 . CREATE_IN_PROGRESS
                1 . CREATE_FAILED Validation failed with 1 error(s).
            """
        },
        "the stack itself: Validation failed with 1 error(s).",
    ),
    "nothing failed": ({"top": "0 . UPDATE_IN_PROGRESS"}, "no failed resource is named in its events"),
    "a nested stack's resource, though the stack was deleted by its parent since": (
        {
            "top": PARENT,
            "net": """
                2 . CREATE_IN_PROGRESS
                3 Subnet CREATE_FAILED The CIDR is taken
                4 Route CREATE_FAILED Resource creation cancelled
                5 . CREATE_FAILED
                12 . DELETE_IN_PROGRESS
                13 Vpc DELETE_FAILED In use
            """,
        },
        "Network, Subnet (AWS::EC2::Thing): The CIDR is taken",
    ),
    "two levels down": (
        {
            "top": PARENT,
            "net": """
                2 . CREATE_IN_PROGRESS
                7 Zone>zone CREATE_FAILED Embedded stack was not successfully created
            """,
            "zone": """
                3 . CREATE_IN_PROGRESS
                6 Gateway CREATE_FAILED Limit exceeded
            """,
        },
        "Network, Zone, Gateway (AWS::EC2::Thing): Limit exceeded",
    ),
    "a nested stack's events can't be read: the parent's words": (
        {"top": PARENT},
        "Network (AWS::CloudFormation::Stack): "
        "Embedded stack was not successfully created: failed to create: [Subnet].",
    ),
    "a nested stack that names no cause: the parent's words": (
        {"top": PARENT, "net": "2 . CREATE_IN_PROGRESS"},
        "Network (AWS::CloudFormation::Stack): "
        "Embedded stack was not successfully created: failed to create: [Subnet].",
    ),
    "a nested stack that is known from the message alone": (
        {
            "top": f"""
                0 . UPDATE_IN_PROGRESS
                9 Network UPDATE_FAILED Embedded stack {arn("net")} was not successfully updated
            """.replace("Network", "Network>"),
            "net": """
                2 . UPDATE_IN_PROGRESS
                3 Subnet UPDATE_FAILED The CIDR is taken
            """,
        },
        "Network, Subnet (AWS::EC2::Thing): The CIDR is taken",
    ),
}


@pytest.mark.parametrize(("stacks", "cause"), CAUSES.values(), ids=CAUSES.keys())
def test_cause(stacks: dict[str, str], cause: str) -> None:
    assert find_cause(reader(stacks), arn("top")) == cause


STUCK: dict[str, tuple[str, tuple[str, ...]]] = {
    "what the message names": (
        "9 . UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [Alarm, Topic].",
        ("Alarm", "Topic"),
    ),
    "the newest message, once it was continued in vain": (
        """
        8 . UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [Alarm, Topic].
        9 . UPDATE_ROLLBACK_IN_PROGRESS User Initiated
        10 . UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [Topic].
        """,
        ("Topic",),
    ),
    "nothing while it is being continued": (
        """
        8 . UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [Alarm].
        9 . UPDATE_ROLLBACK_IN_PROGRESS User Initiated
        """,
        (),
    ),
    "nothing where no resource is named": ("9 . UPDATE_ROLLBACK_FAILED Internal error", ()),
    "nothing that a resource's own reason has in brackets": ("9 Alarm UPDATE_FAILED Bad value [Topic]", ()),
}


@pytest.mark.parametrize(("events", "stuck"), STUCK.values(), ids=STUCK.keys())
def test_stuck(events: str, stuck: tuple[str, ...]) -> None:
    assert stuck_resources(story("edge", "0 . UPDATE_IN_PROGRESS\n" + events)) == stuck


def test_no_more_events_are_read_than_the_current_operation_has() -> None:
    """An edge's history has thousands of them, a hundred a page."""
    newest_first = iter(
        story(
            "edge",
            """
            0 . UPDATE_IN_PROGRESS
            1 . UPDATE_COMPLETE
            5 . UPDATE_IN_PROGRESS
            6 Listener UPDATE_COMPLETE
            """,
        )[::-1]
    )
    assert [event.status for event in current_operation(newest_first)] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert next(newest_first).status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("1 Group CREATE_IN_PROGRESS Resource creation Initiated", "Group CREATE_IN_PROGRESS"),
        ("1 Group CREATE_FAILED Did not stabilize", "Group CREATE_FAILED: Did not stabilize"),
        ("1 Group CREATE_FAILED Resource creation cancelled", "Group CREATE_FAILED"),
        ("1 . UPDATE_COMPLETE", "UPDATE_COMPLETE"),
    ],
)
def test_an_event_has_its_reason_only_where_it_explains_a_failure(event: str, said: str) -> None:
    assert line(story("green", event)[0]) == said
