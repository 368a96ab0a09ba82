# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bake publishes only what has booted, bakes nothing twice, and says what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lab.demo.journal import DemoError
from lab.demo.scenario import APP, ENVS
from lab.settings import CHECKOUT, REGION
from tests.image.image_lab import AWAY, ImageLab
from tests.image.servers import APP as APP_STAGE

PAGE = CHECKOUT / "docs" / "reference" / "bake.md"
SCHEMA = json.loads(re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])


@pytest.fixture
def baked(own_lab: ImageLab | None) -> ImageLab:
    """The lab in which the first release was baked and published."""
    if own_lab is None:
        pytest.skip("a bake needs the lab; --hosts names servers")
    return own_lab


def test_a_release_is_published_once_its_app_has_run(baked: ImageLab) -> None:
    record = baked.published
    jsonschema.validate(record, SCHEMA)
    assert (record["result"], record["validation"]["app_started"]) == ("published", True)
    assert "its smoke command succeeded" in record["validation"]["reason"]
    assert set(record["images"]) == {REGION, AWAY}
    assert {baked.named(REGION), baked.named(AWAY)} == {record["release"]}
    assert set(record["seconds"]) == {"check", "app", "publish", "total"}
    kept = CHECKOUT / "build" / "bake" / record["release"] / "result.json"
    assert json.loads(kept.read_text()) == record


def test_each_regions_image_is_ready_for_servers(baked: ImageLab) -> None:
    for region, image in baked.published["images"].items():
        (found,) = baked.client("ec2", region).describe_images(ImageIds=[image])["Images"]
        assert (found["State"], found["ImdsSupport"]) == ("available", "v2.0") and found["DeprecationTime"]
        tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
        assert {
            "app": APP,
            "publication": "published",
            "validation": "passed",
            "release": baked.published["release"],
            "revision": baked.published["revision"],
            "base_image": baked.published["base_image"],
            "inputs": baked.published["inputs"],
        }.items() <= tags.items()


def test_the_sbom_names_what_is_in_the_image(baked: ImageLab) -> None:
    text = Path(baked.published["sbom"]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    purls = {component["purl"] for component in json.loads(text)["components"]}
    for wanted in (r"pkg:deb/debian/openssh-server@.+distro=debian-13", r"pkg:gem/rails@7\.", r"pkg:generic/ruby@3\.3"):
        assert any(re.match(wanted, purl) for purl in purls), wanted


def test_the_sbom_holds_the_systems_packages_and_no_others(baked: ImageLab) -> None:
    components = json.loads(Path(baked.published["sbom"]).read_text())["components"]
    named = {one["name"] for one in components if one["purl"].startswith("pkg:deb/")}
    with baked.mounted(APP_STAGE) as root:
        entries = Path(root, "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n")
    installed = {
        entry.split("\n", 1)[0].removeprefix("Package: ")
        for entry in entries
        if "\nStatus: install ok installed" in entry
    }
    assert named == installed


def test_nothing_is_left_of_a_validation(baked: ImageLab) -> None:
    tagged = [{"Name": "tag:immutable-validation", "Values": [APP]}]
    ec2 = baked.client("ec2")
    assert ec2.describe_key_pairs(Filters=tagged)["KeyPairs"] == []
    assert ec2.describe_security_groups(Filters=tagged)["SecurityGroups"] == []
    states = {
        server["State"]["Name"]
        for each in ec2.describe_instances(Filters=tagged)["Reservations"]
        for server in each["Instances"]
    }
    assert states <= {"terminated"}  # the lab forgets those after a while


def test_beginning_and_end_are_sent_to_the_topic(baked: ImageLab) -> None:
    sent = [json.loads(one["Message"]) for one in baked.news()]
    for one in sent:
        jsonschema.validate(one, SCHEMA)
    assert [(one["stage"], one["result"]) for one in sent] == [
        ("base", "started"),
        ("base", "baked"),
        ("app", "started"),
        ("app", "published"),
    ]
    assert sent[-1] == baked.published


@pytest.fixture(scope="session")
def failed(own_lab: ImageLab | None) -> Mapping[str, Any]:
    """The record of a bake whose smoke command failed."""
    if own_lab is None:
        pytest.skip("a bake needs the lab; --hosts names servers")
    with pytest.raises(DemoError):
        own_lab.bake(2, release="smokes", smoke_command="echo there are no articles >&2; exit 3")
    record: dict[str, Any] = json.loads((CHECKOUT / "build" / "bake" / "smokes" / "result.json").read_text())
    return record


def test_a_release_whose_smoke_command_fails_is_not_published(baked: ImageLab, failed: Mapping[str, Any]) -> None:
    jsonschema.validate(failed, SCHEMA)
    assert (failed["result"], failed["failure"]["step"]) == ("failed", "Publish")
    assert "the smoke command failed with exit code 3" in failed["message"]
    assert "there are no articles" in failed["failure"]["lines"]
    assert {baked.named(REGION), baked.named(AWAY)} == {baked.published["release"]}
    (image,) = [tags for tags in baked.cloud.images(APP).values() if tags["release"] == "smokes"]
    assert (image["publication"], image["validation"]) == ("pending", "failed")
    assert "exit code 3" in image["validation_reason"]


def test_a_failure_is_sent_too(baked: ImageLab, failed: Mapping[str, Any]) -> None:
    (began, ended) = baked.news()
    assert json.loads(began["Message"])["result"] == "started"
    assert json.loads(ended["Message"]) == failed
    attributes = {name: each["Value"] for name, each in ended["MessageAttributes"].items()}
    assert attributes == {"app": APP, "result": "failed"}


def test_it_can_not_be_deployed(baked: ImageLab, failed: Mapping[str, Any]) -> None:
    del failed
    parameters = {"DeregistrationDelaySeconds": 20}
    baked.commands.playbook("environment", "environment", env=ENVS[0], environment_edge_parameters=parameters)
    with pytest.raises(DemoError) as failure:
        baked.commands.playbook("deploy", "deploy-smokes", env=ENVS[0], image="smokes")
    log = re.search(r"see (\S+\.log)", str(failure.value))
    assert log
    assert "smokes of shop is not published" in " ".join(Path(log[1]).read_text(encoding="utf-8").split())


def test_the_newest_is_the_newest_that_is_published(baked: ImageLab, failed: Mapping[str, Any]) -> None:
    del failed
    said = baked.commands.run(
        "deploy-newest", ["ansible-playbook", "playbooks/deploy.yml", "--check", "-e", f"env={ENVS[0]}"]
    )
    assert baked.published["release"] in said and "smokes" not in said


def test_its_packages_are_compared_with_the_published_release(baked: ImageLab, failed: Mapping[str, Any]) -> None:
    packages = failed["packages"]
    assert packages["previous_release"] == baked.published["release"]
    assert (packages["added"], packages["changed"], packages["removed"]) == ([], [], [])


def test_the_same_inputs_are_baked_once(baked: ImageLab) -> None:
    before = set(baked.cloud.images(APP))
    record = baked.bake(1, smoke_command="exit 1")
    jsonschema.validate(record, SCHEMA)
    assert (record["result"], record["release"]) == ("unchanged", baked.published["release"])
    assert record["images"] == baked.published["images"]
    assert set(baked.cloud.images(APP)) == before


def test_a_withdrawal_in_a_dry_run_says_where_the_channel_would_lead(baked: ImageLab) -> None:
    command = ["ansible-playbook", "playbooks/withdraw.yml", "--check", "-e", f"publish_regions={AWAY}"]
    said = baked.commands.run("withdraw", [*command, "-e", f"release={baked.published['release']}"])
    assert f"would remove the pointer of channel main in {AWAY} (no earlier release can be deployed)" in said
    assert baked.named(AWAY) == baked.published["release"]
