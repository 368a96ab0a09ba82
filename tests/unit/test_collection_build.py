# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball that `ansible-galaxy collection build` makes holds what users need, and nothing else."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from tests import built_collection

CHECKOUT = Path(__file__).parents[2]
FOLDERS = {"meta", "packer", "playbooks", "plugins", "roles"}
FILES = {"CHANGELOG.rst", "COPYING", "FILES.json", "MANIFEST.json", "README.md"}
#: A forgotten environment makes it a hundred megabytes.
LARGEST = 500_000


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_collection.build(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def members(tarball: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(tarball) as archive:
        return archive.getmembers()


def test_is_small(tarball: Path) -> None:
    assert tarball.stat().st_size < LARGEST


def test_holds_only_what_users_need(members: list[tarfile.TarInfo]) -> None:
    paths = [PurePosixPath(member.name) for member in members]
    assert {path.parts[0] for path in paths if len(path.parts) > 1} <= FOLDERS
    assert {path.name for path in paths if len(path.parts) == 1} <= FILES | FOLDERS


def test_holds_no_left_overs(members: list[tarfile.TarInfo]) -> None:
    names = [member.name for member in members]
    assert [
        name for name in names if "__pycache__" in name or "packer_cache" in name or name.endswith((".pyc", "~"))
    ] == []


def test_links_stay_inside(members: list[tarfile.TarInfo]) -> None:
    names = {member.name for member in members}
    links = [(posixpath.dirname(member.name), member.linkname) for member in members if member.issym()]
    assert {posixpath.normpath(posixpath.join(folder, target)) for folder, target in links} <= names


def test_holds_what_a_deployment_needs(members: list[tarfile.TarInfo]) -> None:
    assert {
        "meta/runtime.yml",
        "packer/app/app.pkr.hcl",
        "playbooks/deploy.yml",
        "plugins/action/blue_green.py",
        "plugins/modules/blue_green.py",
        "roles/deployment/files/colour.yml",
        "roles/environment/files/edge.yml",
    } <= {member.name for member in members}


def test_holds_what_a_pipeline_needs(members: list[tarfile.TarInfo]) -> None:
    assert {
        "packer/buildspec.yml",
        "playbooks/pipeline.yml",
        "roles/pipeline/files/notifier.py",
        "roles/pipeline/files/pipeline.yml",
    } <= {member.name for member in members}
