# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of targets, against AWS's rules for application load balancers."""

from __future__ import annotations

import time

import pytest

from lab.api.elbv2.health import NEW, Checked, Probe, Thresholds, after
from tests.lab.contract.support import CLOCK_FACTOR, Api, wait_for

OK = Probe(True)
BAD = Probe(False, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")


def checked(*probes: Probe) -> Checked:
    found = NEW
    for probe in probes:
        found = after(found, probe, Thresholds(healthy=3, unhealthy=2))
    return found


@pytest.mark.parametrize(
    ("probes", "state", "reason"),
    [
        ([], "initial", "Elb.RegistrationInProgress"),
        ([OK], "healthy", None),
        ([BAD], "initial", "Elb.InitialHealthChecking"),
        ([BAD, BAD], "unhealthy", "Target.ResponseCodeMismatch"),
        ([BAD, OK], "healthy", None),
        ([OK, BAD], "healthy", None),
        ([OK, BAD, OK, BAD], "healthy", None),
        ([OK, BAD, BAD], "unhealthy", "Target.ResponseCodeMismatch"),
        ([OK, BAD, BAD, OK, OK], "unhealthy", "Target.ResponseCodeMismatch"),
        ([OK, BAD, BAD, OK, BAD, OK, OK], "unhealthy", "Target.ResponseCodeMismatch"),
        ([OK, BAD, BAD, OK, OK, OK], "healthy", None),
    ],
)
def test_thresholds(probes: list[Probe], state: str, reason: str | None) -> None:
    assert (checked(*probes).health.state, checked(*probes).health.reason) == (state, reason)


def test_a_group_that_no_listener_uses_is_unused(api: Api) -> None:
    group, instance = api.target_group("no-listener"), api.run_instance()
    api.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    found = api.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    assert (found["TargetHealth"]["State"], found["TargetHealth"]["Reason"]) == ("unused", "Target.NotInUse")
    assert found["HealthCheckPort"] == "80"


def test_a_stopped_instance_is_unused(api: Api) -> None:
    group, instance = api.target_group("stopped"), api.run_instance()
    api.listener("stopped", {group: 1})
    api.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    api.ec2.stop_instances(InstanceIds=[instance])
    api.reach(instance, "stopped")
    found = api.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    assert found["TargetHealth"]["Reason"] == "Target.InvalidState"


def test_an_unregistered_target_is_named_as_such(api: Api) -> None:
    group, instance = api.target_group("unregistered"), api.run_instance()
    asked = api.elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": instance}])
    found = asked["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (found["State"], found["Reason"]) == ("unused", "Target.NotRegistered")


def test_an_address_that_answers_nothing_becomes_unhealthy(api: Api) -> None:
    group, instance = api.target_group("silent"), api.run_instance()
    api.listener("silent", {group: 1})
    api.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    assert api.health(group) == {instance: "initial"}
    wait_for(lambda: api.health(group) == {instance: "unhealthy"}, "an unhealthy target")


def test_a_deregistered_target_drains_for_its_delay(api: Api) -> None:
    group, instance = api.target_group("drains"), api.run_instance()
    api.listener("drains", {group: 1})
    api.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    begun = time.monotonic()
    api.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    assert api.health(group) == {instance: "draining"}
    wait_for(lambda: not api.health(group), "no target left")
    assert time.monotonic() - begun >= 300 * CLOCK_FACTOR, "300 seconds are AWS's default"


def test_a_target_group_in_use_is_not_deleted(api: Api) -> None:
    group = api.target_group("in-use")
    listener, _url = api.listener("in-use", {group: 1})
    with pytest.raises(api.elb.exceptions.ResourceInUseException):
        api.elb.delete_target_group(TargetGroupArn=group)
    api.elb.delete_listener(ListenerArn=listener)
    api.elb.delete_target_group(TargetGroupArn=group)
