# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can't be baked ends the bake with its cause, and leaves nothing: no image, server, key or security group."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.demo.journal import DemoError
from lab.demo.scenario import APP as NAME
from lab.demo.scenario import ROLE_VARS
from lab.settings import CHECKOUT
from tests.image.image_lab import ImageLab
from tests.image.servers import BASE, Server

EXTCONF = 'require "mkmf"\nabort "zstd.h is missing" unless find_header("zstd.h")\ncreate_makefile("needy")\n'
#: A file system that is soon full where the app goes.
SMALL = (
    "[Mount]\\nWhat=tmpfs\\nWhere=/srv/app\\nType=tmpfs\\nOptions=size=300k\\n[Install]\\nWantedBy=multi-user.target\\n"
)
GEMSPEC = """--- !ruby/object:Gem::Specification
name: needy
version: !ruby/object:Gem::Version
  version: 1.0.0
platform: ruby
authors: [somebody]
bindir: bin
date: 2026-01-01 00:00:00.000000000 Z
dependencies: []
email: []
executables: []
extensions: [extconf.rb]
files: [extconf.rb]
licenses: [MIT]
metadata: {}
require_paths: [lib]
required_ruby_version: !ruby/object:Gem::Requirement
  requirements: [[">=", !ruby/object:Gem::Version {version: "0"}]]
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements: [[">=", !ruby/object:Gem::Version {version: "0"}]]
requirements: []
rubygems_version: 3.6.7
specification_version: 4
summary: Needs a library
test_files: []
"""


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def native_gem(app: Path) -> None:
    """A gem in vendor/cache that wants a library which is not there. A gem is a tar of two compressed files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        _add(tar, "extconf.rb", EXTCONF.encode())
    (app / "vendor/cache").mkdir(parents=True)
    with tarfile.open(app / "vendor/cache/needy-1.0.0.gem", "w") as tar:
        _add(tar, "metadata.gz", gzip.compress(GEMSPEC.encode()))
        _add(tar, "data.tar.gz", data.getvalue())
    with (app / "Gemfile").open("a") as gemfile:
        gemfile.write('gem "needy"\n')
    lock = (app / "Gemfile.lock").read_text()
    lock = re.sub(r"(?m)^  specs:\n", "  specs:\n    needy (1.0.0)\n", lock, count=1)
    (app / "Gemfile.lock").write_text(re.sub(r"(?m)^DEPENDENCIES\n", "DEPENDENCIES\n  needy\n", lock))


def no_lock(app: Path) -> None:
    """The app's gems are not locked."""
    (app / "Gemfile.lock").unlink()


def another_ruby(app: Path) -> None:
    """The app asks for a Ruby that nobody has."""
    (app / ".ruby-version").write_text("9.9.9\n")


def another_gem(app: Path) -> None:
    """The lock does not fit the Gemfile."""
    with (app / "Gemfile").open("a") as gemfile:
        gemfile.write('gem "nobody-has-this"\n')


def broken_assets(app: Path) -> None:
    """Something that the app does while it is loaded fails."""
    (app / "config/initializers/broken.rb").write_text('ENV.fetch("STRIPE_KEY")\n')


def secret(app: Path) -> None:
    """Somebody left a key in the code."""
    (app / "config/deploy.yml").write_text("DATABASE_URL: postgres://shop:not-for-images@db/shop\n")


#: How the app is spoilt, and what the bake must say.
CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no Gemfile.lock": (no_lock, "Gemfile.lock does not exist"),
    "a ruby that can't be had": (another_ruby, "the app asks for Ruby 9.9.9"),
    "a lock that does not fit": (another_gem, "run `bundle lock`|`bundle cache`"),
    "assets that fail": (broken_assets, "the variable STRIPE_KEY"),
    "a native gem without its library": (native_gem, "add the package libzstd-dev to app_bundle_build_packages"),
    "a planted secret": (secret, r"/srv/app/current/config/deploy.yml: value for DATABASE_URL"),
}


@pytest.fixture
def app(own_lab: ImageLab | None, tmp_path: Path) -> Path:
    """A copy of the example app."""
    if own_lab is None:
        pytest.skip("only the lab is baked in; --hosts names servers")
    return Path(shutil.copytree(own_lab.folder / "release-1", tmp_path / "app", ignore=shutil.ignore_patterns(".git")))


def left(lab: ImageLab) -> set[str]:
    """Ids of all images, snapshots, servers that are not gone, keys and security groups."""
    ec2 = lab.cloud.ec2
    servers = [server for found in ec2.describe_instances()["Reservations"] for server in found["Instances"]]
    return {
        *(image["ImageId"] for image in ec2.describe_images(Owners=["self"])["Images"]),
        *(snapshot["SnapshotId"] for snapshot in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]),
        *(server["InstanceId"] for server in servers if server["State"]["Name"] != "terminated"),
        *(key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"]),
        *(group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]),
    }


def refused(lab: ImageLab, app: str = NAME, **extra: Any) -> str:
    """What the bake said, on one line, when it ended without an image."""
    with pytest.raises(DemoError) as failure:
        lab.commands.playbook("bake", "bake-refused", role_vars=str(CHECKOUT / ROLE_VARS), app=app, **extra)
    log = re.search(r"see (\S+\.log)", str(failure.value))
    assert log, failure.value
    return " ".join(Path(log[1]).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("spoil", "expected"), CASES.values(), ids=CASES.keys())
def test_the_bake_ends_with_the_cause_and_leaves_nothing(
    own_lab: ImageLab, app: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    spoil(app)
    before = left(own_lab)
    said = refused(own_lab, app_dir=str(app), release="bad")
    assert re.search(expected, said), said[-2000:]
    assert "Traceback" not in said and "not-for-images" not in said
    assert left(own_lab) == before


@pytest.fixture
def no_base(own_lab: ImageLab) -> Iterator[str]:
    """The newest image that says it is a base is the distribution's, without Ruby."""
    ec2 = own_lab.cloud.ec2
    (found,) = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-13-*"]}])["Images"]
    copied = ec2.copy_image(Name="no-base", SourceImageId=found["ImageId"], SourceRegion="eu-west-1")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[copied], WaiterConfig={"Delay": 1})
    tags = {"app": "other", "stage": "base", "release": "none"}
    ec2.create_tags(Resources=[copied], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    yield "other"
    ec2.deregister_image(ImageId=copied)


def test_a_base_image_that_is_none(own_lab: ImageLab, app: Path, no_base: str) -> None:
    before = left(own_lab)
    said = refused(own_lab, app=no_base, app_dir=str(app), release="bad")
    assert "is the image that it was started from a base image" in said, said[-2000:]
    assert left(own_lab) == before


@pytest.fixture
def small_disk(own_lab: ImageLab, servers: list[Server]) -> Iterator[str]:
    """The newest base image has no room for an app."""
    ec2 = own_lab.cloud.ec2
    host = next(server.host for server in servers if server.stage == BASE)
    address = host.check_output("hostname --all-ip-addresses").split()[0]
    (found,) = ec2.describe_instances(Filters=[{"Name": "private-ip-address", "Values": [address]}])["Reservations"]
    unit = "/etc/systemd/system/srv-app.mount"
    host.check_output(f"printf '{SMALL}' >{unit} && systemctl enable srv-app.mount")
    made = ec2.create_image(InstanceId=found["Instances"][0]["InstanceId"], Name="small-disk")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[made], WaiterConfig={"Delay": 1})
    host.check_output(f"systemctl disable srv-app.mount && rm {unit}")
    tags = {"app": "small", "stage": "base", "release": "none"}
    ec2.create_tags(Resources=[made], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    yield "small"
    ec2.deregister_image(ImageId=made)


def test_a_full_disk(own_lab: ImageLab, app: Path, small_disk: str) -> None:
    (app / "public" / "large.bin").write_bytes(os.urandom(1_000_000))
    before = left(own_lab)
    said = refused(own_lab, app_dir=str(app), release="bad", app=small_disk)
    assert "the disk of the builder is full" in said, said[-2000:]
    assert left(own_lab) == before
