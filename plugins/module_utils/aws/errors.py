# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS, or the way to it, answered: one typed error with one line for a person."""

from __future__ import annotations

import functools
import typing as t

try:
    from botocore import exceptions, parsers
except ImportError:  # session.connect() says what to install
    FAILURES: tuple[type[Exception], ...] = ()
else:
    FAILURES = (exceptions.ClientError, exceptions.BotoCoreError, parsers.ResponseParserError)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection

P = t.ParamSpec("P")
R = t.TypeVar("R")
D = t.TypeVar("D")


class AwsError(Exception):
    """A call to AWS failed.

    Args:
        doing: what was tried, as in "read the stack shop-prod-edge".
        why: the cause in AWS's words.
        code: AWS's error code (``ValidationError`` …), empty where no answer came.
    """

    def __init__(self, doing: str, why: str, code: str = "") -> None:
        super().__init__(f"Could not {doing}: {why}")
        self.doing = doing
        self.why = why
        self.code = code


class LeaseLost(Exception):
    """This controller may not write any more. No AwsError, so that nobody takes it for a call that may be tried again.

    Args:
        why: what was lost.
        operation: the call that was not sent, empty where none was about to be.
    """

    def __init__(self, why: str, operation: str = "") -> None:
        unsent = f"{operation} was not sent and nothing" if operation else "nothing"
        super().__init__(f"{why}; {unsent} more was written; run the same command again, it goes on from what is there")
        self.why = why
        self.operation = operation


def one_line(text: str) -> str:
    """The text with its line breaks and runs of spaces folded, since some of AWS's messages hold several lines."""
    return " ".join(text.split())


def translate(doing: str, error: Exception) -> AwsError:
    """The typed error for one of botocore's."""
    if isinstance(error, exceptions.ClientError):
        answer = error.response.get("Error", {})
        code = str(answer.get("Code", ""))
        return AwsError(doing, one_line(f"{code}: {answer.get('Message', '')}"), code)
    if isinstance(error, exceptions.EndpointConnectionError):
        return AwsError(doing, f"{one_line(str(error))} Is the network up?")
    if isinstance(error, exceptions.NoCredentialsError):
        return AwsError(doing, "no AWS credentials were found; set AWS_PROFILE, or log in with your provider's tool")
    return AwsError(doing, one_line(str(error)))


def aws_call(doing: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function that makes one AWS call: botocore's errors come out as `AwsError`.

    Args:
        doing: what the function does, for the message; ``{}`` stands for its second argument, the thing's name.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except FAILURES as error:
                raise translate(doing.format(args[1] if len(args) > 1 else ""), error) from error

        return wrapped

    return decorate


def absent(codes: Collection[str], instead: D) -> Callable[[Callable[P, R]], Callable[P, R | D]]:
    """Decorates a function that makes one AWS call: where the thing isn't there, it returns something else.

    Args:
        codes: what AWS answers then.
        instead: what is returned then.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R | D]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R | D:
            try:
                return function(*args, **kwargs)
            except AwsError as error:
                if error.code in codes:
                    return instead
                raise

        return wrapped

    return decorate
