# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pipeline.yml as a team runs it: what it makes, changes and destroys, and what it refuses."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.lab.pipeline.team import REPOSITORY, SECRET, Team
from tests.pipeline import BUILDSPEC, pipeline_template


def test_the_project_has_the_buildspec_and_the_teams_settings(team: Team) -> None:
    (project,) = team.api.client("codebuild").batch_get_projects(names=[team.outputs["ProjectName"]])["projects"]
    assert project["source"]["buildspec"] == BUILDSPEC.read_text(encoding="utf-8").rstrip("\n")
    assert project["source"]["location"] == REPOSITORY
    variables = {each["name"]: each["value"] for each in project["environment"]["environmentVariables"]}
    assert variables == {
        "BAKE_APP": "shop",
        "BAKE_APP_DIR": ".",
        "BAKE_CHANNEL": "main",
        "BAKE_COLLECTION": "immutable.ec2",
        "BAKE_TOPIC": team.outputs["TopicArn"],
    }


def test_the_names_that_bakes_and_servers_look_for(team: Team) -> None:
    assert team.outputs["BucketName"] == "shop-artifacts-123456789012-eu-west-1"
    assert team.outputs["TopicArn"].endswith(":shop-bake")


def test_a_new_image_reads_its_configuration_with_the_rights_of_the_envs_servers(team: Team) -> None:
    iam = team.api.client("iam")
    (role,) = iam.get_instance_profile(InstanceProfileName="shop-validation")["InstanceProfile"]["Roles"]
    assert role["RoleName"] == "shop-validation"
    body = team.api.client("cloudformation").get_template(StackName=f"{team.app}-pipeline")["TemplateBody"]
    made = body if isinstance(body, dict) else json.loads(body)
    assert made["Resources"]["ValidationRights"] == pipeline_template()["Resources"]["ValidationRights"]


def test_the_bucket_is_private_and_keeps_versions(team: Team) -> None:
    s3, bucket = team.api.client("s3"), team.outputs["BucketName"]
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert '"aws:SecureTransport": "false"' in s3.get_bucket_policy(Bucket=bucket)["Policy"]


def test_a_team_that_bakes_from_a_desk(another: Team) -> None:
    """Without a repository and Slack: a bucket and a topic; check mode makes nothing; what is in use stays."""
    said = another.plays({}, "--check", "--diff")
    assert f"{another.app}-pipeline would change" in said
    with pytest.raises(ClientError, match="does not exist"):
        assert another.stack

    said = another.runs()
    assert "is as wanted now: bakes tell arn:aws:sns:" in said
    assert "Slack is not told (no pipeline.slack_secret); nothing is built by itself (no pipeline.repository)" in said
    validation = {"ValidationRole", "ValidationRights", "ValidationInstanceProfile"}
    assert set(another.resources) == {"Bucket", "BucketPolicy", "TopicKey", "Topic", "TopicPolicy", *validation}
    assert "was as wanted already" in another.runs()

    said = another.plays({"validation_profile": False})
    assert "is as wanted now" in said and not validation & set(another.resources)

    said = another.plays({"slack_secret": SECRET, "keep_builds": 7}, "--check")
    assert "would change" in said and "Notifier" not in another.resources

    s3, bucket = another.api.client("s3"), another.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="assets/app-0f1e.css", Body=b"x")
    said = another.runs("-e", "pipeline_state=absent", ok=False)
    assert f"its bucket {bucket} holds assets/app-0f1e.css and perhaps more" in said
    assert another.stack["StackStatus"] == "UPDATE_COMPLETE"

    s3.delete_object(Bucket=bucket, Key="assets/app-0f1e.css")
    assert "is destroyed" in another.runs("-e", "pipeline_state=absent")
    with pytest.raises(ClientError, match="does not exist"):
        assert another.stack


def test_every_mistake_in_the_file_is_told_at_once(another: Team) -> None:
    wrong = {"repository": "git@github.com:acme/shop", "slack": SECRET, "build_size": "huge", "branch": ""}
    said = another.plays(wrong, ok=False, account="12")
    for mistake in (
        'environments/all.yml: pipeline.repository is "git@github.com:acme/shop", allowed is https://github.com/',
        "environments/all.yml: pipeline.slack is not a key (did you mean pipeline.slack_secret?)",
        'environments/all.yml: pipeline.build_size is "huge", allowed is small or medium or large',
        'environments/all.yml: pipeline.branch is "", allowed is the name of a branch',
        'environments/all.yml: account is "12", allowed is the id of an account, 12 digits',
    ):
        assert mistake in said, said
