# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer with real traffic: a blue and a green target group with one target each, and clients."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tests.lab.contract.support import Api, forward, wait_for
from tests.lab.contract.target import Target

_numbers = count(1)


@dataclass(frozen=True)
class Balancer:
    """A load balancer over a blue and a green group with one target each, all of them registered and healthy."""

    api: Api
    listener: str
    url: str
    blue_group: str
    green_group: str
    blue: Target
    green: Target

    def weigh(self, blue: int, green: int) -> None:
        weights = {self.blue_group: blue, self.green_group: green}
        self.api.elb.modify_listener(ListenerArn=self.listener, DefaultActions=forward(weights))

    def ask(self, count: int = 1, path: str = "/", headers: Mapping[str, str] | None = None) -> Counter[str]:
        """Who answers, each time over a connection of its own; a failure counts under its status."""
        return Counter(ask(self.url, path, headers) for _ in range(count))

    def answers(
        self, names: set[str], count: int = 20, path: str = "/", headers: Mapping[str, str] | None = None
    ) -> bool:
        """Whether requests are answered by these and no others."""
        try:
            return set(self.ask(count, path, headers)) == names
        except OSError:
            return False


def ask(url: str, path: str = "/", headers: Mapping[str, str] | None = None) -> str:
    """One request over a connection of its own; returns who answers, or the status of a failure."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        return ask_over(connection, path, headers)
    finally:
        connection.close()


def ask_over(connection: http.client.HTTPConnection, path: str = "/", headers: Mapping[str, str] | None = None) -> str:
    """One request over a connection that is kept."""
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    return text if answer.status == 200 else str(answer.status)


@contextmanager
def serving(api: Api) -> Iterator[Balancer]:
    """A load balancer that serves; blue has all the weight."""
    number = next(_numbers)
    blue_group, green_group = (api.target_group(f"{colour}-{number}", TargetType="ip") for colour in ("blue", "green"))
    for group in (blue_group, green_group):
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "200"}]
        api.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    listener, url = api.listener(f"traffic-{number}", {blue_group: 100, green_group: 0})
    with Target("blue") as blue, Target("green") as green:
        for group, target in ((blue_group, blue), (green_group, green)):
            api.elb.register_targets(TargetGroupArn=group, Targets=[target.registration])
        for group in (blue_group, green_group):
            wait_for(lambda group=group: list(api.health(group).values()) == ["healthy"], "a healthy target")  # type: ignore[misc]
        made = Balancer(api, listener, url, blue_group, green_group, blue, green)
        wait_for(lambda: made.answers({"blue"}), "the first answer")
        yield made
        api.elb.delete_listener(ListenerArn=listener)


@contextmanager
def load(url: str) -> Iterator[Callable[[], Counter[Any]]]:
    """Three clients that ask without a pause, one of them over a kept connection; gives what they got so far."""
    stop = threading.Event()
    seen: list[Counter[str]] = []
    address = urlsplit(url)
    kept = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)

    def client(once: Callable[[], str]) -> None:
        counted: Counter[str] = Counter()
        seen.append(counted)
        while not stop.is_set():
            try:
                counted[once()] += 1
            except (OSError, http.client.HTTPException) as error:
                counted[repr(error)] += 1

    clients = [
        threading.Thread(target=client, args=(each,))
        for each in (lambda: ask(url), lambda: ask(url), lambda: ask_over(kept))
    ]
    for thread in clients:
        thread.start()
    try:
        yield lambda: sum(seen, Counter())
    finally:
        stop.set()
        for thread in clients:
            thread.join(20)
        kept.close()
