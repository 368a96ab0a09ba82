# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection, installed into an ops repo elsewhere, does the same as the checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.settings import CHECKOUT
from tests.lab.shop import Shop


@pytest.fixture(scope="module")
def ops_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example ops repo with the collection installed from its tarball, away from the checkout."""
    folder = tmp_path_factory.mktemp("ops") / "repo"
    shutil.copytree(CHECKOUT / "examples" / "ops_repo", folder, ignore=shutil.ignore_patterns("collections", "build"))
    tarball = tmp_path_factory.mktemp("built")
    galaxy = [str(CHECKOUT / ".venv" / "bin" / "ansible-galaxy"), "collection"]
    subprocess.run([*galaxy, "build", "--output-path", str(tarball)], cwd=CHECKOUT, check=True)
    (built,) = tarball.glob("immutable-ec2-*.tar.gz")
    install = [*galaxy, "install", str(built), "--no-deps", "--collections-path", str(folder / "collections")]
    subprocess.run(install, cwd=folder, check=True)
    return folder


def test_a_deployment_from_the_tarball(shop: Shop, ops_repo: Path) -> None:
    """Another instance type is another colour, so there is something to deploy."""
    staging = ops_repo / "environments" / "staging.yml"
    changed = staging.read_text(encoding="utf-8").replace("t3.small", "t3.medium")
    staging.write_text(changed, encoding="utf-8")
    said = run(shop, ops_repo, "deploy", "env=staging")
    assert f"deployed: {shop.second} serves all traffic from blue" in said
    assert f"nothing_to_do: {shop.second} serves all traffic from blue" in run(shop, ops_repo, "deploy", "env=staging")


def test_it_is_the_installed_collection_that_runs(shop: Shop, ops_repo: Path) -> None:
    """Its roles come from the ops repo's own folder, not from the checkout."""
    said = run(shop, ops_repo, "status", "env=prod", "-vvv")
    assert str(ops_repo / "collections") in said
    assert f"{CHECKOUT}/roles" not in said


def run(shop: Shop, folder: Path, playbook: str, extra: str, *arguments: str) -> str:
    """What a playbook of the collection, called by its name, printed, on one line."""
    command = ["ansible-playbook", f"immutable.ec2.{playbook}", "-e", extra, *arguments]
    return " ".join(shop.commands.run(f"ops-repo-{playbook}", command, folder).split())
