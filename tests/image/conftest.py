# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers to look at: those named by --hosts, or else three of a lab of the tests' own, from images baked for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import testinfra

from lab.settings import CHECKOUT
from tests import octets
from tests.image.image_lab import ImageLab
from tests.image.servers import APP, BASE, Image, Server

FOLDER = CHECKOUT / "build" / "test" / "image"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of a server runs once for each stage; the servers are known only when the lab runs."""
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", [BASE, APP], indirect=True)
    if "image" in metafunc.fixturenames:
        metafunc.parametrize("image", [BASE, APP], indirect=True)


@pytest.fixture(scope="session")
def own_lab(request: pytest.FixtureRequest) -> Iterator[ImageLab | None]:
    """The lab with the baked images, or None where --hosts names servers."""
    if request.config.option.hosts:
        yield None
        return
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = ImageLab(octets.IMAGE, FOLDER)
    try:
        own.start()
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest, own_lab: ImageLab | None, tmp_path_factory: pytest.TempPathFactory
) -> list[Server]:
    """All servers; each is reached by SSH, with sudo."""
    if own_lab is not None:
        return own_lab.launch(tmp_path_factory.mktemp("key"))
    options = request.config.option
    hosts = testinfra.get_hosts(
        options.hosts.split(","), ssh_config=options.ssh_config, ssh_identity_file=options.ssh_identity_file, sudo=True
    )
    return [Server(APP if host.file("/etc/immutable/release.env").exists else BASE, host) for host in hosts]


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: list[Server]) -> Server:
    """One server of the stage that the test runs for."""
    found = [server for server in servers if server.stage == request.param]
    if not found:
        pytest.skip(f"--hosts names no server of stage {request.param}")
    return found[0]


@pytest.fixture
def app_server(servers: list[Server]) -> Server:
    """One server of a release."""
    found = [server for server in servers if server.stage == APP]
    if not found:
        pytest.skip("--hosts names no server of stage app")
    return found[0]


@pytest.fixture
def image(request: pytest.FixtureRequest, own_lab: ImageLab | None) -> Iterator[Image]:
    """The file system of one stage's image, as it was baked."""
    if own_lab is None:
        pytest.skip("an image's file system can only be read in the lab; --hosts names servers")
    with own_lab.mounted(request.param) as root:
        yield Image(Path(root), own_lab.secrets())
