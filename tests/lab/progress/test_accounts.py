# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose credentials these are: another account's are refused, a role's are renewed as long as a deployment takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.identity import caller_account
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.accounts import check_account
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from lab.api.settings import ACCOUNT
from tests.lab.progress.conftest import Connect

OTHER = "111122223333"
ROLE = f"arn:aws:iam::{OTHER}:role/deployer"


def test_the_right_account_is_let_through(clients: Clients) -> None:
    check_account(clients, ACCOUNT)


def test_another_account_is_refused_in_one_line(clients: Clients) -> None:
    with pytest.raises(Refused) as refusal:
        check_account(clients, OTHER)
    assert f"the credentials are of account {ACCOUNT}, the env's file names {OTHER}" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_names_no_account_costs_no_call(connected: Connect) -> None:
    clients, calls = connected(), []
    clients.sts.meta.events.register("before-send", lambda **_: calls.append(1))
    check_account(clients, "")
    assert calls == []


def test_a_role_of_another_account_is_that_account(connected: Connect) -> None:
    check_account(connected(role=ROLE), OTHER)


def test_every_client_of_a_role_is_the_roles_in_other_regions_too(connected: Connect) -> None:
    assert caller_account(connected(role=ROLE).in_region("us-east-1")) == OTHER


def test_a_role_that_is_none_is_said_when_connecting(connected: Connect) -> None:
    with pytest.raises(AwsError, match="Could not assume the role arn:aws:iam::nobody"):
        connected(role="arn:aws:iam::nobody:nothing")


def test_credentials_of_a_role_are_renewed_before_they_end(connected: Connect) -> None:
    """A session lasts an hour; the deployment goes on."""
    clients = connected(role=ROLE)
    credentials: Any = clients._session.get_credentials()
    first = credentials.get_frozen_credentials().access_key
    assert credentials.get_frozen_credentials().access_key == first
    credentials._time_fetcher = lambda: datetime.now(UTC) + timedelta(minutes=55)
    assert caller_account(clients) == OTHER
    assert credentials.get_frozen_credentials().access_key != first
