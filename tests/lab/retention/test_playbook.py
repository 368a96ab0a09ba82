# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""prune.yml, as a user starts it, in an ops repo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.retention.account import Account

CHECKOUT = Path(__file__).parents[3]


def prune(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), CHECKOUT / "playbooks" / "prune.yml", *arguments],
        cwd=where,
        env={**os.environ, "PWD": str(where), "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def ops_repo(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "all.yml").write_text("app: shop\nregion: eu-west-1\nretention: {newest: 2}\n")
    return tmp_path


def test_the_settings_of_all_environments_hold(account: Account, ops_repo: Path) -> None:
    images, other = account.images(4), account.images(4, app="blog")
    checked = prune(ops_repo, "--check", "--diff")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert account.left() == {*images, *other}
    done = prune(ops_repo)
    assert done.returncode == 0, done.stdout + done.stderr
    assert account.left() == {*images[2:], *other}
    for line in ("2 of 4 images of shop removed", "kept shop-app-0004", "one of the 2 newest of its group"):
        assert line in done.stdout and line in checked.stdout
    assert f"-eu-west-1 {images[0]} shop-app-0001" in checked.stdout


def test_the_command_line_wins(account: Account, ops_repo: Path) -> None:
    account.images(3)
    blog = account.images(4, app="blog")
    done = prune(ops_repo, "-e", "app=blog", "-e", "keep_newest=3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(account.left()) == 6 and blog[0] not in account.left()


def test_without_an_app_it_says_what_to_do(account: Account, tmp_path: Path) -> None:
    done = prune(tmp_path)
    assert done.returncode != 0 and "add -e app=<name>" in done.stdout + done.stderr
