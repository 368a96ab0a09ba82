# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A console's output as lines that can be shown to a person."""

from __future__ import annotations

import base64

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.immutable.ec2.plugins.module_utils.aws.console import clean, last_lines
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

CONSOLES: dict[str, tuple[str, list[str]]] = {
    "colours go": (
        "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mapp-web\x1b[0m.",
        ["[FAILED] Failed to start app-web."],
    ),
    "so do titles and cursors": ("\x1b]0;root@ip\x07boot\x1b[2J\x1b(B done", ["boot done"]),
    "lines end as serial lines do": ("one\r\r\ntwo\r\n\r\n\tthree\r\n", ["one", "two", "three"]),
    "what is no text goes": ("a\x00b\x08c\ufffd\x9bd", ["abcd"]),
    "a password in an address is blotted out": (
        "could not connect to postgresql://shop:s3cr3t@db:5432/shop",
        ["could not connect to postgresql://shop:***@db:5432/shop"],
    ),
    "an address without one stays": ("GET http://10.0.0.1:80/up by a@b", ["GET http://10.0.0.1:80/up by a@b"]),
    "endless lines are cut": ("x" * 1000, ["x" * 199 + "…"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("output", "lines"), CONSOLES.values(), ids=CONSOLES.keys())
def test_clean(output: str, lines: list[str]) -> None:
    assert clean(output) == lines


INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def clients() -> Clients:
    session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any-other", region_name="eu-west-1")
    return Clients(session, {})


def test_an_instance_that_has_no_newest_output_is_asked_for_its_last(clients: Clients) -> None:
    """The lab has no such instances."""
    with Stubber(clients.ec2) as ec2:
        ec2.add_client_error(
            "get_console_output",
            "UnsupportedOperation",
            "This instance type does not support retrieving the latest console logs.",
            expected_params={"InstanceId": INSTANCE, "Latest": True},
        )
        ec2.add_response(
            "get_console_output", {"Output": base64.b64encode(b"one\ntwo\nthree\n").decode()}, {"InstanceId": INSTANCE}
        )
        assert last_lines(clients, INSTANCE, 2) == ["two", "three"]


def test_a_refusal_is_no_reason_to_ask_again(clients: Clients) -> None:
    with Stubber(clients.ec2) as ec2:
        ec2.add_client_error("get_console_output", "UnauthorizedOperation", "Not you")
        with pytest.raises(AwsError, match=f"Could not read the console of {INSTANCE}: UnauthorizedOperation"):
            last_lines(clients, INSTANCE)
