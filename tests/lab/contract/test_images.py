# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as Packer makes them, the engine finds them and retention removes them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.contract.support import Api, tags, wait_for


def available(api: Api, image: str) -> dict[str, Any]:
    """The image once it is available."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = api.ec2.describe_images(ImageIds=[image])["Images"][0]
        return found if found["State"] == "available" else None

    return wait_for(look, f"{image} available")


def bake(api: Api, name: str, **values: str) -> str:
    """An image of a new instance, with tags."""
    wanted = [{"Key": key, "Value": value} for key, value in values.items()]
    specifications = [{"ResourceType": kind, "Tags": wanted} for kind in ("image", "snapshot") if wanted]
    made = api.ec2.create_image(InstanceId=api.run_instance(), Name=name, TagSpecifications=specifications)
    image: str = made["ImageId"]
    available(api, image)
    return image


def ids(found: dict[str, Any]) -> list[str]:
    return [image["ImageId"] for image in found["Images"]]


def test_distribution_is_named_by_the_public_parameter(api: Api) -> None:
    image = api.ec2.describe_images(ImageIds=[api.image])["Images"][0]
    assert image["Name"].startswith("debian-13-amd64-")
    assert (image["RootDeviceType"], image["State"], image["Architecture"]) == ("ebs", "available", "x86_64")
    assert api.image not in ids(api.ec2.describe_images(Owners=["self"]))


def test_image_is_pending_then_available_with_its_snapshot(api: Api) -> None:
    made = api.ec2.create_image(InstanceId=api.run_instance(), Name="states")["ImageId"]
    image = available(api, made)
    assert image["RootDeviceType"] == "ebs"
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert api.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed"
    api.run_instance(ImageId=made)


def test_tags_are_on_image_and_snapshot(api: Api) -> None:
    image = available(api, bake(api, "tagged", app="shop", release="r1"))
    assert tags(image["Tags"]) == {"app": "shop", "release": "r1"}
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert tags(api.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"])["release"] == "r1"


def test_found_by_owner_tag_and_name(api: Api) -> None:
    one, other = bake(api, "found-app-1", stage="app"), bake(api, "found-base-1", stage="base")

    def find(name: str, value: str) -> list[str]:
        return ids(api.ec2.describe_images(Owners=["self"], Filters=[{"Name": name, "Values": [value]}]))

    assert find("tag:stage", "app") == [one]
    assert find("name", "found-*-1") == [one, other]
    assert find("tag:stage", "nothing") == []


def test_name_is_taken_once(api: Api) -> None:
    bake(api, "taken")
    with pytest.raises(ClientError) as refusal:
        bake(api, "taken")
    assert refusal.value.response["Error"]["Code"] == "InvalidAMIName.Duplicate"


def test_deregistered_image_is_gone_and_its_snapshot_can_go(api: Api) -> None:
    image = available(api, bake(api, "goes"))
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with pytest.raises(ClientError) as refusal:
        api.ec2.delete_snapshot(SnapshotId=snapshot)
    assert refusal.value.response["Error"]["Code"] == "InvalidSnapshot.InUse"
    api.ec2.deregister_image(ImageId=image["ImageId"])
    assert image["ImageId"] not in ids(api.ec2.describe_images(Owners=["self"]))
    with pytest.raises(ClientError) as refusal:
        api.run_instance(ImageId=image["ImageId"])
    assert refusal.value.response["Error"]["Code"] == "InvalidAMIID.NotFound"
    api.ec2.delete_snapshot(SnapshotId=snapshot)
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        api.ec2.describe_snapshots(SnapshotIds=[snapshot])


def test_unknown_image_is_refused_by_id(api: Api) -> None:
    with pytest.raises(ClientError) as refusal:
        api.ec2.describe_images(ImageIds=["ami-0123456789abcdef0"])
    assert refusal.value.response["Error"]["Code"] == "InvalidAMIID.NotFound"
