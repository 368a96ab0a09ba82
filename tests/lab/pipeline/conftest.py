# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab API without servers, a Slack, and the pipeline of an app that the playbook has made there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import octets
from tests.lab.contract import support
from tests.lab.pipeline.team import REPOSITORY, SECRET, Team
from tests.slack import Slack, slack


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    """Slack, whose certificate every function of the lab trusts."""
    with slack(tmp_path_factory.mktemp("slack")) as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(started.certificate))
        yield started


@pytest.fixture(scope="package")
def api(server: Slack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """The API, ended after the last test."""
    with support.running(tmp_path_factory.mktemp("lab-api"), octets.PIPELINE) as started:
        started.client("secretsmanager").create_secret(Name=SECRET, SecretString=server.address)
        yield started


@pytest.fixture(scope="package")
def team(api: support.Api, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A team whose pipeline has all that there is."""
    made = Team(api, tmp_path_factory.mktemp("ops"), "shop")
    said = made.plays({"slack_secret": SECRET, "repository": REPOSITORY})
    assert "shop-pipeline is as wanted now" in said
    return made


@pytest.fixture
def another(api: support.Api, tmp_path: Path) -> Team:
    """A team that has nothing yet; its app is named as the test's folder."""
    return Team(api, tmp_path, "app-" + "".join(letter for letter in tmp_path.name if letter.isalnum())[-24:].lower())
