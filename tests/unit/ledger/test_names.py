# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment's id, and who holds the lock."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import holder
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ids import new_id

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def test_an_id_begins_with_the_time() -> None:
    assert re.fullmatch(r"20260501-120000-[0-9a-f]{4}", new_id(NOON))


def test_ids_of_one_second_differ() -> None:
    assert len({new_id(NOON) for _each in range(20)}) > 1


def test_a_holder_can_be_found() -> None:
    assert re.fullmatch(rf"\S+@\S+ pid {os.getpid()}", holder.name({}))


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({"GITHUB_RUN_ID": "77", "GITHUB_REPOSITORY": "shop/ops"}, "(GitHub run shop/ops 77)"),
        ({"GITHUB_RUN_ID": "77"}, "(GitHub run 77)"),
        ({"CODEBUILD_BUILD_ID": "deploy:1f"}, "(CodeBuild deploy:1f)"),
        ({"BUILD_URL": "https://ci.example/job/deploy/5/"}, "(Jenkins build https://ci.example/job/deploy/5/)"),
        ({"BUILD_URL": "https://bob:hunter2@ci.example/5?token=abc#x"}, "(Jenkins build https://ci.example/5)"),
        ({"CI_JOB_URL": "https://ci.example/é\n7"}, "(GitLab job https://ci.example/ 7)"),
    ],
)
def test_a_ci_job_is_named_without_secrets(environment: dict[str, str], job: str) -> None:
    assert holder.name(environment).endswith(f" pid {os.getpid()} {job}")


def test_a_name_stays_short() -> None:
    assert len(holder.name({"BUILD_URL": "https://ci.example/" + 400 * "x"})) == holder.LONGEST
