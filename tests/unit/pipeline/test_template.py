# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pipeline's template promises of bucket, topic and rights, with and without CodeBuild and Slack."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from tests.pipeline import FILES, NOTIFIER, pipeline_template

#: The longest template that CloudFormation takes in a call.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BYTES = 51_200
NOTIFIER_PARTS = {name for name in pipeline_template()["Resources"] if name.startswith(("Notifier", "NotSent"))}
BUILD_PARTS = {"Project", "BuildRole", "BakeRights", "BuildRule", "BuildLog"}

VALIDATION_PARTS = {"ValidationRole", "ValidationRights", "ValidationInstanceProfile"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return pipeline_template()


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]
    return found


def test_without_repository_and_slack_bucket_and_topic_are_left(resources: dict[str, Any]) -> None:
    conditions = {name: each.get("Condition") for name, each in resources.items()}
    assert {name for name, condition in conditions.items() if condition == "HasNotifier"} == NOTIFIER_PARTS
    assert {name for name, condition in conditions.items() if condition == "HasBuilds"} == BUILD_PARTS
    assert {name for name, condition in conditions.items() if condition == "HasSchedule"} == {
        *("ScheduleRule", "ScheduleRole")
    }
    assert {name for name, condition in conditions.items() if condition == "HasValidationProfile"} == VALIDATION_PARTS
    assert {name for name, condition in conditions.items() if condition is None} == {
        *("Bucket", "BucketPolicy", "Topic", "TopicKey", "TopicPolicy")
    }


def test_the_bucket_outlives_its_stack_and_is_encrypted_and_private(resources: dict[str, Any]) -> None:
    bucket = resources["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = bucket["Properties"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketName"] == {"Fn::Sub": "${App}-artifacts-${AWS::AccountId}-${AWS::Region}"}


def test_assets_and_sboms_are_never_removed_by_their_age(resources: dict[str, Any]) -> None:
    rules = resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule.get("Prefix", "everything") for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"builds/", "cache/"}


def test_whoever_comes_without_tls_gets_nothing(resources: dict[str, Any]) -> None:
    (statement,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]


def test_eventbridge_can_publish_to_the_encrypted_topic(resources: dict[str, Any]) -> None:
    """Not with AWS's own key, and not where the topic's policy has a condition on it."""
    assert resources["Topic"]["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": ["TopicKey", "Arn"]}
    key = {each["Sid"]: each for each in resources["TopicKey"]["Properties"]["KeyPolicy"]["Statement"]}
    assert "events.amazonaws.com" in key["PublishersOfAws"]["Principal"]["Service"]
    assert set(key["PublishersOfAws"]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    who = key["WhoeverMayPublish"]["Condition"]["StringEquals"]
    assert set(who) == {"kms:CallerAccount", "kms:ViaService"}
    topic = {each["Sid"]: each for each in resources["TopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    assert topic["StatesOfBuilds"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in topic["StatesOfBuilds"]


def statements(resources: dict[str, Any], role: str) -> dict[str, dict[str, Any]]:
    """All that a role allows, by name; parts that a condition leaves out included."""
    found = [
        each["Fn::If"][1] if "Fn::If" in each else each
        for policy in resources[role]["Properties"]["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
    ]
    return {each["Sid"]: each for each in found}


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def test_the_notifier_may_call_what_its_code_calls_and_nothing_else(resources: dict[str, Any]) -> None:
    called = set(re.findall(r'boto3\.client\("(\w+)", config=PATIENT\)\.(\w+)\(', NOTIFIER.read_text(encoding="utf-8")))
    assert called == {("secretsmanager", "get_secret_value"), ("s3", "get_object")}
    given = {action for each in statements(resources, "NotifierRole").values() for action in actions(each)}
    assert given == {
        *(f"{service}:{method.title().replace('_', '')}" for service, method in called),
        *("sqs:SendMessage", "logs:CreateLogStream", "logs:PutLogEvents"),
    }


def test_the_notifiers_rights_end_at_its_own_secret_and_bucket(resources: dict[str, Any]) -> None:
    found = statements(resources, "NotifierRole")
    assert all(each["Resource"] != "*" for each in found.values())
    assert found["ReadTheWebhooksAddress"]["Resource"]["Fn::Sub"].endswith(":secret:${WebhookSecret}-??????")
    assert found["SeeWhetherABakeHasToldItsFailure"]["Resource"] == {"Fn::Sub": "${Bucket.Arn}/builds/*"}


def test_a_message_that_cannot_be_sent_is_kept_whoever_failed(resources: dict[str, Any]) -> None:
    queue = {"Fn::GetAtt": ["NotSent", "Arn"]}
    retries = resources["NotifierRetries"]["Properties"]
    assert retries["DestinationConfig"]["OnFailure"] == {"Destination": queue}
    assert resources["NotifierSubscription"]["Properties"]["RedrivePolicy"] == {"deadLetterTargetArn": queue}
    assert statements(resources, "NotifierRole")["KeepWhatCouldNotBeSent"]["Resource"] == queue
    assert resources["NotSentAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "Topic"}]


def test_the_functions_time_is_enough_for_all_tries(resources: dict[str, Any]) -> None:
    seconds = 4 * 10 + 1.5 * (1 + 2 + 4)
    assert seconds < resources["Notifier"]["Properties"]["Timeout"]


def test_only_builds_that_did_not_succeed_are_told_by_codebuild(resources: dict[str, Any]) -> None:
    detail = resources["BuildRule"]["Properties"]["EventPattern"]["detail"]
    assert detail == {
        "project-name": [{"Ref": "Project"}],
        "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"],
    }


def test_a_push_to_the_branch_alone_starts_a_build(resources: dict[str, Any]) -> None:
    triggers = resources["Project"]["Properties"]["Triggers"]["Fn::If"][1]
    ((event, branch),) = triggers["FilterGroups"]
    assert event == {"Type": "EVENT", "Pattern": "PUSH"}
    assert branch == {"Type": "HEAD_REF", "Pattern": {"Fn::Sub": "^refs/heads/${Branch}$"}}


def test_a_new_image_may_read_the_configuration_of_validation_and_of_no_other_env(resources: dict[str, Any]) -> None:
    found = resources["ValidationRights"]["Properties"]["PolicyDocument"]["Statement"]
    read = {each["Sid"]: json.dumps(each["Resource"]) for each in found if each["Sid"] in ("Parameters", "Secrets")}
    for where in read.values():
        assert set(re.findall(r"\$\{App\}/(\w+)", where)) == {"common", "validation"}
    assert "Env}" not in json.dumps(found) and '"Env"' not in json.dumps(found)


def test_bakes_find_the_profile_and_may_give_its_role_to_a_server(resources: dict[str, Any]) -> None:
    profile = resources["ValidationInstanceProfile"]["Properties"]
    assert profile == {"InstanceProfileName": {"Fn::Sub": "${App}-validation"}, "Roles": [{"Ref": "ValidationRole"}]}
    name = resources["ValidationRole"]["Properties"]["RoleName"]["Fn::Sub"].replace("${App}", "shop")
    given = resources["BakeRights"]["Properties"]["PolicyDocument"]["Statement"]
    (may_pass,) = [each["Resource"] for each in given if each["Action"] == "iam:PassRole"]
    assert fnmatch(f"arn:aws:iam::123456789012:role/{name}", may_pass)


def test_the_clock_may_start_builds_of_the_project_and_nothing_else(resources: dict[str, Any]) -> None:
    found = statements(resources, "ScheduleRole")
    assert [(each["Action"], each["Resource"]) for each in found.values()] == [
        ("codebuild:StartBuild", {"Fn::GetAtt": ["Project", "Arn"]})
    ]


def test_artifacts_lie_where_the_notifier_looks(resources: dict[str, Any]) -> None:
    artifacts = resources["Project"]["Properties"]["Artifacts"]
    assert (artifacts["Path"], artifacts["NamespaceType"], artifacts["Name"]) == ("builds", "BUILD_ID", "bake")
    assert artifacts["Packaging"] == "NONE"


def test_the_template_with_code_and_buildspec_fits_into_one_call(template: dict[str, Any]) -> None:
    assert len(json.dumps(template).encode()) < MAX_BYTES


def test_the_template_alone_makes_nothing_that_only_looks_like_a_pipeline() -> None:
    bare = yaml.safe_load((FILES / "pipeline.yml").read_text(encoding="utf-8"))["Resources"]
    with pytest.raises(RuntimeError, match="has no code"):
        exec(bare["Notifier"]["Properties"]["Code"]["ZipFile"])
    phases = yaml.safe_load(bare["Project"]["Properties"]["Source"]["BuildSpec"])["phases"]
    assert phases["build"]["commands"][-1] == "false"
    for rights in ("BakeRights", "ValidationRights"):
        (statement,) = bare[rights]["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
