# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buildspec's commands, in their order, on a clean machine: the example app is baked, and Slack hears of it.

CodeBuild itself can't run in the lab; what is shown is that its commands need nothing but a bare Debian, and that what
a build leaves behind and says reaches Slack.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.podman import Podman
from lab.settings import SECRET_KEY
from tests import built_collection, octets
from tests.lab.contract.faulty import Client
from tests.lab.contract.support import CHECKOUT, Api, wait_for
from tests.lab.pipeline.codebuild import Build, artifacts, read
from tests.lab.pipeline.machine import CERTIFICATES, SOURCE, ensure_image, machine
from tests.lab.pipeline.rights import build_policy, needed
from tests.lab.pipeline.team import REPOSITORY, SECRET, Team
from tests.own_lab import OwnLab
from tests.pipeline import BUILDSPEC
from tests.slack import Slack, slack

pytestmark = pytest.mark.long

FOLDER = CHECKOUT / "build" / "test" / "pipeline"
#: The access key by which the lab tells the builds' calls from others.
BUILDS = "CODEBUILD"
Builds = Callable[..., Build]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    """Slack, trusted by the functions of the lab beside whom this machine trusts."""
    folder = tmp_path_factory.mktemp("slack-of-builds")
    with slack(folder) as started, pytest.MonkeyPatch.context() as patch:
        bundle = folder / "all.pem"
        bundle.write_text(Path(CERTIFICATES).read_text() + started.certificate.read_text())
        patch.setenv("SSL_CERT_FILE", str(bundle))
        yield started


@pytest.fixture(scope="module")
def own(server: Slack) -> Iterator[OwnLab]:
    """A lab with real servers, and the example app's source in it."""
    lab = OwnLab(octets.PIPELINE_MACHINE, FOLDER)
    try:
        lab.stop()
        lab.scenario.start_lab()
        lab.scenario.make_sources()
        yield lab
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def team(own: OwnLab, server: Slack, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """The team whose pipeline builds."""
    api = Api(own.settings.api_url, own.settings.run_dir)
    api.client("secretsmanager").create_secret(Name=SECRET, SecretString=server.address)
    made = Team(api, tmp_path_factory.mktemp("ops"), "shop")
    made.plays(
        {
            "slack_secret": SECRET,
            "repository": REPOSITORY,
            "app_dir": "shop",
            "collection": "/codebuild/collection.tar.gz",
        }
    )
    return made


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_collection.build(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def source(own: OwnLab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The team's repository: the app, and what its image needs."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(FOLDER / "release-1", folder / "shop", ignore=shutil.ignore_patterns(".git"))
    shutil.copy(CHECKOUT / "examples" / "ops_repo" / "image.yml", folder)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = ["git", "-C", str(folder), "-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "A change"], check=True)


@pytest.fixture(scope="module")
def builds(team: Team, collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Builds a folder as CodeBuild would after a push: a machine, phases, artifacts, the event at the end."""
    podman = Podman(FOLDER / "podman")
    ensure_image(podman, tmp_path_factory.mktemp("rootfs"))
    cache = tmp_path_factory.mktemp("cache")
    spec = read(BUILDSPEC)

    def run(folder: Path) -> Build:
        shutil.rmtree(folder / "build", ignore_errors=True)
        (project,) = team.api.client("codebuild").batch_get_projects(names=[team.outputs["ProjectName"]])["projects"]
        variables = {each["name"]: each["value"] for each in project["environment"]["environmentVariables"]}
        variables |= {
            "AWS_ENDPOINT_URL": team.api.url,
            "AWS_ACCESS_KEY_ID": BUILDS,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        build = Build(project["name"])
        with machine(podman, "immutable-lab-test-build", folder, collection, cache) as clean:
            build.run(spec, variables, SOURCE, clean.run)
        (FOLDER / f"build-{build.id}.log").write_text(build.log)
        upload(team, build, folder)
        team.happens(build.change())
        return build

    return run


def upload(team: Team, build: Build, folder: Path) -> None:
    """The build's artifacts, to where the project wants them."""
    files = [str(file.relative_to(folder)) for file in (folder / "build").rglob("*") if file.is_file()]
    for file, name in artifacts(read(BUILDSPEC), files).items():
        key = f"builds/{build.id}/bake/{name}"
        team.api.client("s3").put_object(Bucket=team.outputs["BucketName"], Key=key, Body=(folder / file).read_bytes())


def told(server: Slack, words: str) -> str:
    """The message with the words, once Slack has it."""
    return wait_for(lambda: next((text for text in server.shown() if words in text), ""), f"{words} in Slack", 60)


def result_of(team: Team, build: Build) -> dict[str, object]:
    """The bake's result among the build's artifacts."""
    found = team.api.client("s3").get_object(
        Bucket=team.outputs["BucketName"], Key=f"builds/{build.id}/bake/result.json"
    )
    result: dict[str, object] = json.load(found["Body"])
    return result


def test_a_push_becomes_a_published_release_that_slack_hears_of(
    builds: Builds, source: Path, team: Team, server: Slack
) -> None:
    server.begin()
    build = builds(source)
    assert build.status == "SUCCEEDED", build.log[-3000:]
    result = result_of(team, build)
    assert (result["result"], result["build"]) == ("published", f"shop-bake:{build.id}")
    text = told(server, "*Result*\npublished")
    assert f"*Release*\n{result['release']}" in text and f"<{build.url}|Log>" in text
    assert "eu-west-1: `ami-" in text and " app " in text


def test_the_same_push_again_bakes_nothing(builds: Builds, source: Path, team: Team, server: Slack) -> None:
    server.begin()
    images = team.api.ec2.describe_images(Owners=["self"])["Images"]
    build = builds(source)
    assert build.status == "SUCCEEDED", build.log[-3000:]
    assert result_of(team, build)["result"] == "unchanged"
    told(server, "*Result*\nunchanged")
    assert team.api.ec2.describe_images(Owners=["self"])["Images"] == images


def test_a_build_that_fails_is_told_once_with_its_step(
    builds: Builds, source: Path, team: Team, server: Slack, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(source, broken)
    (broken / "shop" / "Gemfile.lock").unlink()
    commit(broken)
    server.begin()
    build = builds(broken)
    assert [f"{phase.name} {phase.status}" for phase in build.phases[-2:]] == ["BUILD FAILED", "POST_BUILD SUCCEEDED"]
    text = told(server, ":x:")
    assert "*Failed step*" in text and "Gemfile.lock does not exist" in text
    wait_for(lambda: any("the bake has told it" in line for line in team.log), "the event at the build's end")
    assert sum(":x:" in shown for shown in server.shown()) == 1


def test_the_role_allows_what_the_builds_called(builds: Builds, team: Team) -> None:
    """Conditions are not judged."""
    calls = {each for call in Client(team.api, BUILDS).calls() for each in needed(call)}
    assert {action for action, _resource in calls} >= {"ec2:CreateImage", "ssm:PutParameter"}
    policy = build_policy(team)
    assert [each for each in sorted(calls, key=str) if not policy.allows(*each)] == []
