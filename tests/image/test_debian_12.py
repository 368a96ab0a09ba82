# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example app on Debian 12: baked in both stages by the playbook, and booted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.podman import Podman
from lab.rootfs import base
from lab.settings import CHECKOUT, OLDER_BASE_IMAGE
from tests import octets
from tests.image import older_shop
from tests.image.image_lab import ImageLab

FOLDER = CHECKOUT / "build" / "test" / "debian-12"
PARAMETER = "/aws/service/debian/release/12/latest/amd64"
LOCK = """
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --no-install-recommends \\
  bundler puma ruby-bootsnap ruby-pg ruby-rails ruby-redis ruby-sidekiq ruby-sprockets-rails
bundle lock --local
"""


def lock(podman: Podman, app: Path) -> None:
    """Write Gemfile.lock from the gems of a server, as examples/shop/bin/lock does."""
    podman.run(
        *("run", "--rm", "--network", "host", "--volume", f"{app}:/shop", "--workdir", "/shop"),
        *(OLDER_BASE_IMAGE, "/bin/sh", "-ec", LOCK),
    )


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of a release that was baked from Debian 12."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    own = ImageLab(octets.IMAGE_DEBIAN_12, FOLDER)
    podman = Podman(own.settings.run_dir)
    base.ensure(podman, FOLDER, OLDER_BASE_IMAGE)
    app = older_shop.make(tmp_path_factory.mktemp("older") / "shop")
    lock(podman, app)
    variables = FOLDER / "image.yml"
    variables.write_text(older_shop.ROLE_VARS)
    try:
        own.start_lab()
        own.published = own.commands.playbook(
            *("bake", "bake-older"), app="shop", app_dir=str(app), stage="all", release="older",
            role_vars=str(variables), distribution_parameter=PARAMETER,
        )  # fmt: skip
        yield own.launch(tmp_path_factory.mktemp("key"))[1].host
    finally:
        own.stop()


@pytest.mark.long
def test_the_example_app_runs_on_debian_12(older: Any) -> None:
    assert older.system_info.release.startswith("12")
    for path in ("/up", "/"):
        said = older.check_output(
            f"curl --silent --output /dev/null --write-out '%{{http_code}}' http://127.0.0.1{path}"
        )
        assert said == "200"
    units = ("app-assets", "app-web", "app-worker-sidekiq", "app-release")
    for unit in units:
        shown = older.check_output(f"systemd-analyze security --no-pager {unit}.service | tail -n 1")
        assert float(shown.split(": ")[1].split()[0]) <= 1.2, unit
    assert older.check_output("systemctl is-system-running") == "running"
