# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of AWS becomes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, absent, aws_call


@absent({"NoSuchThing"}, instead=None)
@aws_call("read the thing {}")
def read(code: str, name: str) -> str:
    if code:
        raise ClientError({"Error": {"Code": code, "Message": "it\n  says"}}, "GetThing")
    return name


def test_what_is_there_is_returned() -> None:
    assert read("", "it") == "it"


def test_what_is_not_there_is_told_by_a_value() -> None:
    assert read("NoSuchThing", "it") is None


def test_any_other_answer_is_an_error_of_one_line_that_names_the_thing() -> None:
    with pytest.raises(AwsError, match=r"^Could not read the thing it: Denied: it says$") as error:
        read("Denied", "it")
    assert error.value.code == "Denied" and isinstance(error.value.__cause__, ClientError)
