# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server wrote to its console: all that can be seen of one that never came up."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

LONGEST_LINE: t.Final = 200

# Colours and cursor movements (ECMA-48, 5.4), then whatever else is no text.
_ESCAPES: t.Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[@-_])")
_CONTROLS: t.Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]")
# What systemd says of units that are as they should be.
_ALL_WELL: t.Final = re.compile(r"\[ *OK *\] .*|(?:Starting|Stopping|Mounting|Unmounting|Activating) .*(?:\.\.\.|…)")
# Errors of clients hold addresses with a password now and then, as in postgresql://shop:secret@db.
_PASSWORD: t.Final = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")


def last_lines(clients: Clients, instance_id: str, count: int = 15) -> list[str]:
    """The last lines of a server's console, the oldest first, as plain text; none where it hasn't written any yet.
    What systemd says of units that came up is left out, unless there is nothing else.

    Args:
        clients: the way to AWS.
        instance_id: the server.
        count: how many lines at most, 1 or more.

    Raises:
        AwsError: the console can't be read.
    """
    try:
        output = _console_output(clients, instance_id, latest=True)
    except AwsError as error:
        # Only instances on the Nitro system give the newest output at once.
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
        if error.code not in ("UnsupportedOperation", "InvalidParameterCombination"):
            raise
        output = _console_output(clients, instance_id, latest=False)
    lines = clean(output)
    return ([each for each in lines if not _ALL_WELL.fullmatch(each)] or lines)[-count:]


def clean(output: str) -> list[str]:
    """The lines of a console that hold text, without control characters, passwords in addresses blotted out."""
    text = _ESCAPES.sub("", output)
    lines = (_PASSWORD.sub(r"\1:***@", _CONTROLS.sub("", line)).strip() for line in re.split(r"[\r\n]+", text))
    return [each if len(each) <= LONGEST_LINE else f"{each[: LONGEST_LINE - 1]}…" for each in lines if each]


@aws_call("read the console of {}")
def _console_output(clients: Clients, instance_id: str, latest: bool) -> str:
    """botocore has decoded the output, with a replacement character for what is no UTF-8."""
    more: t.Any = {"Latest": True} if latest else {}
    return clients.ec2.get_console_output(InstanceId=instance_id, **more).get("Output", "")
