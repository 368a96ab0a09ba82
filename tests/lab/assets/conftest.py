# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab API without servers that has a bucket of assets, and archives as bakes leave them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.assets.archive import Archive
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from tests import octets
from tests.lab.contract import support

Pack = Callable[..., Archive]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    with support.running(tmp_path_factory.mktemp("lab-api"), octets.ASSETS) as started:
        yield started


@pytest.fixture
def clients(api: support.Api) -> Clients:
    return connect({"region": "eu-west-1", "endpoint_url": api.url, "access_key": "lab", "secret_key": "lab"})


@pytest.fixture
def bucket(clients: Clients, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name).replace("_", "-")[:60].rstrip("-")
    clients.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Makes an archive of files (path → content, for a path a.b the keyword a__b)."""

    def make(**files: str) -> Archive:
        path = tmp_path / "assets.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo("assets/" + name.replace("__", "."))
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content.encode()))
        return Archive(str(path))

    return make
