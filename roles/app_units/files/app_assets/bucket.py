# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept under a path of the app's public folder, from the bucket."""

from __future__ import annotations

import http.client
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from typing import Protocol
from urllib.parse import unquote, urlsplit

from .breaker import Breaker

PREFIX = "assets/public"
"""Below it a key is the path by which the asset is asked for; the release that makes an asset puts it there."""

SECONDS = 2.0
"""For each thing that is waited for. nginx waits a little longer than for two of them."""

TRIES = 2
LONGEST_PATH = 900
"""S3 takes keys of 1024 bytes."""


class NotKept(Exception):
    """There is no such asset in the bucket, or this server may not read it."""


class Unreachable(Exception):
    """The bucket, or the metadata service, did not answer."""


class Ask(Protocol):
    """A request for an object, ready to be sent."""

    @property
    def secure(self) -> bool: ...
    @property
    def host(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


class Objects(Protocol):
    """A bucket's objects, asked for with the instance's role."""

    def get(self, key: str) -> Ask:
        """Return the signed GET of an object."""

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether asking once more helps, with what the refusal taught."""


class Bucket:
    """The assets of every release. Threads may share it.

    Args:
        find: gives the bucket's objects, or None where this server has no bucket; asked until it has answered once.
        failures: what `find` and `get` raise where no answer came.
    """

    def __init__(self, find: Callable[[], Objects | None], failures: tuple[type[Exception], ...]) -> None:
        self._find = find
        self._failures: tuple[type[Exception], ...] = (*failures, OSError, http.client.HTTPException)
        self._found: list[Objects | None] = []
        self._breaker = Breaker()

    @contextmanager
    def open(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """The asset's answer, its body unread.

        Raises:
            NotKept: there is none.
            Unreachable: it can't be said; after a few of these nothing is asked for some seconds.
        """
        key = key_of(path)
        if self._breaker.open():
            raise Unreachable("it was not asked, since it did not answer before")
        connection, response = self._asked(key)
        with closing(connection):
            yield response

    def _asked(self, key: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        reason = ""
        for _attempt in range(TRIES):
            try:
                objects = self._objects()
                if objects is None:
                    raise NotKept("this server's environment has no bucket of assets")
                connection = _connection(ask := objects.get(key))
                try:
                    connection.request("GET", ask.path, headers=dict(ask.headers))
                    response = connection.getresponse()
                    if response.status == http.HTTPStatus.OK:
                        self._breaker.worked()
                        return connection, response
                    body = response.read(4096)
                except BaseException:
                    connection.close()
                    raise
                connection.close()
            except self._failures as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            headers = {name.lower(): value for name, value in response.getheaders()}
            reason = f"HTTP {response.status}"
            if response.status >= 500 or response.status == 429 or objects.refused(response.status, headers, body):
                continue
            self._breaker.worked()
            if response.status != http.HTTPStatus.NOT_FOUND:
                # S3 says so of what is missing, too, to those who may not list the bucket.
                reason += ": it is not there, or the instance's role may not read it"
            raise NotKept(reason)
        if self._breaker.failed():
            print(f"the bucket of assets does not answer ({reason}); asked again in a few seconds", file=sys.stderr)
        raise Unreachable(reason)

    def _objects(self) -> Objects | None:
        if not self._found:
            self._found.append(self._find())
        return self._found[0]


def key_of(path: str) -> str:
    """The key of the asset that is asked for by a path of a URL.

    Raises:
        NotKept: no asset can have such a path.
    """
    plain = unquote(urlsplit(path).path)
    parts = plain.split("/")
    wrong = len(plain) > LONGEST_PATH or not plain.startswith("/") or not plain.isprintable()
    if wrong or any(part in ("", ".", "..") for part in parts[1:]):
        raise NotKept("no asset has such a path")
    return PREFIX + plain


def _connection(ask: Ask) -> http.client.HTTPConnection:
    if ask.secure:
        return http.client.HTTPSConnection(ask.host, timeout=SECONDS, context=_trust())
    return http.client.HTTPConnection(ask.host, timeout=SECONDS)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
