# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""prune.yml, as a user starts it, in an ops repo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.retention.account import Account

POLICY = """
regions: [eu-west-1, us-east-1]
images: {{owner: self}}
group_by: [app, channel]
keep: {{newest: 2, days: 3, per_env_previous: 2}}
exclude_tags: {{keep: "*"}}
stages: {{deprecate_after: 30d, disable_after: 60d, deregister_after: 90d}}
max_removals: 50
references: {{accounts: [], ssm_parameters: ["/shop/*"]}}
price_per_gb_month: 0.05
report_json: {folder}/report.json
"""


def prune(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """From the installed collection, in a team's own repo."""
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "immutable.ec2.prune", *arguments],
        cwd=where,
        env={**os.environ, "PWD": str(where)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def ops_repo(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "all.yml").write_text("app: shop\nregion: eu-west-1\n")
    return tmp_path


def test_without_a_policy_the_five_newest_of_the_app_stay(account: Account, ops_repo: Path) -> None:
    images, other = account.images(7), account.images(7, app="blog")
    done = prune(ops_repo)
    assert done.returncode == 0, done.stdout + done.stderr
    assert account.left() == {*images[2:], *other}


def test_the_policy_is_read_from_a_file(account: Account, elsewhere: Account, ops_repo: Path) -> None:
    images, there = account.images(4, channel="stable"), elsewhere.images(4, channel="stable")
    for number, image_id in enumerate(images):
        account.aged(image_id, 100 - number)
    marked = account.image(channel="stable", keep="audit")
    account.instance(images[0])
    (ops_repo / "retention.yml").write_text(POLICY.format(folder=ops_repo))
    checked = prune(ops_repo, "--check", "--diff")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    report = json.loads((ops_repo / "report.json").read_text())
    done = prune(ops_repo)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((ops_repo / "report.json").read_text()) == report
    assert account.left() == {*images, marked} and elsewhere.left() == set(there)
    assert [one["id"] for one in report["deprecated"]] == [images[1], there[1], there[0]]
    for line in ("used by instance i-", "excluded by its tag keep=audit", "3 deprecated, 6 kept"):
        assert line in done.stdout and line in checked.stdout
    assert f"+eu-west-1 {images[1]} shop-app-0002 (deprecated)" in checked.stdout


def test_the_command_line_wins(account: Account, ops_repo: Path) -> None:
    account.images(3)
    blog = account.images(4, app="blog")
    done = prune(ops_repo, "-e", "app=blog", "-e", "keep_newest=3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(account.left()) == 6 and blog[0] not in account.left()


def test_without_an_app_it_says_what_to_do(account: Account, tmp_path: Path) -> None:
    done = prune(tmp_path)
    assert done.returncode != 0 and "add -e app=<name>" in done.stdout + done.stderr


def test_an_unknown_key_is_refused(account: Account, ops_repo: Path) -> None:
    (ops_repo / "retention.yml").write_text("keep_newest: 2\n")
    done = prune(ops_repo)
    assert done.returncode != 0 and "retention.yml may hold copies" in done.stdout + done.stderr
