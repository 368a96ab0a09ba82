# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user calls an image → a release, or a line that says what there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import check_architecture, find_release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Release

REGION = "eu-west-1"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield connect({"region": REGION, "access_key": "any", "secret_key": "any-other"})


def bake(clients: Clients, release: str, app: str = "shop", stage: str = "app") -> str:
    """An image as Packer leaves it; returns its id."""
    tags = {"app": app, "stage": stage, "release": release}
    image = clients.ec2.register_image(Name=f"{app}-{stage}-{release}", RootDeviceName="/dev/xvda")["ImageId"]
    clients.ec2.create_tags(Resources=[image], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return image


def test_a_release_by_its_name_or_by_its_image(clients: Clients) -> None:
    first, _second = bake(clients, "r1"), bake(clients, "r2")
    assert find_release(clients, "shop", "r1").image == first
    assert find_release(clients, "shop", first).name == "r1"


def test_newest_is_never_a_base_image_or_another_apps(clients: Clients) -> None:
    wanted = bake(clients, "r1")
    bake(clients, "r2", stage="base")
    bake(clients, "r3", app="blog")
    assert find_release(clients, "shop", "newest").image == wanted


def test_another_apps_image_is_refused_by_its_id_too(clients: Clients) -> None:
    bake(clients, "r1")
    with pytest.raises(Refused, match=r"shop has no image 'ami-.*belongs to the app blog"):
        find_release(clients, "shop", bake(clients, "r3", app="blog"))


def test_an_unknown_release_names_those_that_there_are(clients: Clients) -> None:
    bake(clients, "r1")
    with pytest.raises(Refused, match="the releases r1"):
        find_release(clients, "shop", "r9")


def test_an_app_without_images_is_told_to_bake_one(clients: Clients) -> None:
    with pytest.raises(Refused, match="bake one first"):
        find_release(clients, "shop", "newest")


def test_a_base_image_is_no_release(clients: Clients) -> None:
    bake(clients, "r1")
    with pytest.raises(Refused, match="it holds no release"):
        find_release(clients, "shop", bake(clients, "r2", stage="base"))


def test_an_image_that_is_nowhere_here_may_have_to_be_copied(clients: Clients) -> None:
    bake(clients, "r1")
    with pytest.raises(Refused, match="an image of another region must be copied here first"):
        find_release(clients, "shop", "ami-0123456789abcdef0")


def test_an_image_of_another_architecture_is_refused(clients: Clients) -> None:
    with pytest.raises(Refused, match=r"of the architecture arm64, and t3.small runs x86_64 only"):
        check_architecture(clients, Release("r1", "ami-1", "arm64"), ["t3.small"])


def test_an_unknown_instance_type_is_refused(clients: Clients) -> None:
    with pytest.raises(Refused, match=r"no instance type t3.tiny"):
        check_architecture(clients, Release("r1", "ami-1", "x86_64"), ["t3.small", "t3.tiny"])


def test_the_right_architecture_passes(clients: Clients) -> None:
    check_architecture(clients, Release("r1", "ami-1", "x86_64"), ["t3.small", "m7i.large"])


# --- how far the publication is


def tag(clients: Clients, image: str, **tags: str) -> None:
    clients.ec2.create_tags(Resources=[image], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


def test_newest_is_the_newest_that_is_published(clients: Clients) -> None:
    wanted = bake(clients, "r1")
    tag(clients, wanted, publication="published")
    for release, state in (("r2", "pending"), ("r3", "withdrawn")):
        tag(clients, bake(clients, release), publication=state)
    assert find_release(clients, "shop", "newest").image == wanted


def test_an_unpublished_release_is_refused_by_its_name_and_its_image(clients: Clients) -> None:
    image = bake(clients, "r1")
    tag(clients, image, publication="pending")
    for name in ("r1", image, "newest"):
        with pytest.raises(Refused, match="r1 of shop is not published yet"):
            find_release(clients, "shop", name)


def test_a_release_that_failed_its_validation_says_why(clients: Clients) -> None:
    reason = "the smoke command failed"
    tag(clients, bake(clients, "r1"), publication="pending", validation="failed", validation_reason=reason)
    with pytest.raises(Refused, match="failed its validation: the smoke command failed"):
        find_release(clients, "shop", "r1")


def test_a_withdrawn_release_is_deployed_only_by_its_name(clients: Clients) -> None:
    image = bake(clients, "r1")
    tag(clients, image, publication="withdrawn")
    assert find_release(clients, "shop", "r1").image == image
    with pytest.raises(Refused, match="every image of shop is withdrawn"):
        find_release(clients, "shop", "newest")


def test_a_channel_names_its_release(clients: Clients) -> None:
    first, _second = bake(clients, "r1"), bake(clients, "r2")
    clients.ssm.put_parameter(Name="/immutable/shop/channels/main", Value="r1", Type="String")
    assert find_release(clients, "shop", "channel:main").image == first


def test_a_channel_that_names_nothing_is_refused(clients: Clients) -> None:
    bake(clients, "r1")
    with pytest.raises(Refused, match="no parameter /immutable/shop/channels/edge"):
        find_release(clients, "shop", "channel:edge")
