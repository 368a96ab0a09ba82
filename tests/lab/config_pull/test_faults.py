# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fault at each call, a kill between any two writes: the old complete state, or the new one, or the app stays off."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.lab.config_pull.agent import START, Agent, Ended
from tests.lab.config_pull.planted import OLD, State, found, leaks, plant, put_old
from tests.lab.config_pull.proxy import FAULTS, SKEW, Proxy, Rule, between
from tests.lab.config_pull.sts import clock_ahead
from tests.lab.config_pull.tally import Tally
from tests.lab.contract.support import Api
from tests.vault.server import Vault

#: At a time: they wait for most of their time.
BESIDE = 6
SERVICES = ("aws", "vault", "metadata")
#: Kills the process before its n-th change of a file or folder. Python tells an audit hook of each.
KILLED = """
import os, signal, sys
left = {number}
def hook(event, arguments):
    global left
    writes = event in ("os.mkdir", "os.symlink", "os.rename", "os.remove", "os.rmdir")
    opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or opens:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


@dataclass(frozen=True)
class World:
    """The stores with the planted configuration in them."""

    api: Api
    vault: Vault
    metadata: str
    new: State
    declaration: str

    @contextmanager
    def agent(self, deadline: float) -> Iterator[tuple[Agent, dict[str, Proxy]]]:
        """An agent on a server that has the old state, with a proxy before each service."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="config-faults-")))
            urls = {"aws": self.api.url, "vault": self.vault.address, "metadata": self.metadata}
            proxies = {service: stack.enter_context(between(url)) for service, url in urls.items()}
            environment = {
                "AWS_ENDPOINT_URL": proxies["aws"].url,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": proxies["metadata"].url,
                "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
                "TMPDIR": str(folder),
            }
            agent = Agent(folder, environment, deadline)
            agent.declare(self.declaration.replace("%VAULT%", proxies["vault"].url))
            put_old(agent)
            yield agent, proxies

    def judge(self, tally: Tally, kind: str, case: str, agent: Agent, ended: Ended) -> None:
        """Count a case by what it left."""
        state = found(agent)
        whole = state == self.new if ended.code == 0 else state in (OLD, self.new)
        if ended.code not in (0, -signal.SIGKILL) and state != OLD:
            whole = False
        found_at = leaks(agent.folder, agent.root, (ended.out, ended.err))
        tally.note(kind, f"{kind}: {case}: {ended.code}", whole, found_at)


@pytest.fixture(scope="module")
def world(api: Api, vault: Vault, metadata: str) -> World:
    new, declaration = plant(api, vault)
    return World(api, vault, metadata, new, declaration)


def all_of(work: Callable[..., None], cases: list[tuple[object, ...]]) -> None:
    with ThreadPoolExecutor(BESIDE) as pool:
        for done in [pool.submit(work, *case) for case in cases]:
            done.result()


def test_a_fault_at_each_call(world: World, tally: Tally) -> None:
    """Each fault once, when the call is tried again, and for ever, when the deadline passes or it is refused."""
    with world.agent(30) as (agent, proxies):
        ended = agent.run()
        assert ended.code == 0, ended.err
        assert found(agent) == world.new
        calls = [(service, call) for service, proxy in proxies.items() for call in proxy.calls]
    assert len(calls) >= 12, calls
    codes: dict[tuple[str, str], set[int]] = {}

    def meet(service: str, call: str, fault: str, always: bool) -> None:
        # One that hangs takes all of a deadline that is shorter than a call may wait.
        with world.agent(2.5 if always or fault == "time-out" else 20) as (agent, proxies):
            proxies[service].rule = rule = Rule(call, fault, always)
            ended = agent.run()
            case = f"{fault} {'always' if always else 'once'} at {service} {call}"
            world.judge(tally, f"{fault} at a call", case, agent, ended)
            assert rule.met, f"{case}: no such call came"
            codes.setdefault((fault, "always" if always else "once"), set()).add(ended.code)
            if ended.code:
                assert "no configuration, the app does not start" in ended.cause, ended.err

    all_of(meet, [(*call, fault, always) for call in calls for fault in FAULTS for always in (False, True)])
    passing = {"reset", "half a page", "throttling", "500", "garbage", "expired token"}
    assert all(0 in codes[fault, "once"] for fault in passing), codes
    assert all(0 not in codes[fault, "always"] for fault in ("time-out", "reset", "500")), codes


@pytest.mark.parametrize("only", [SERVICES, ("vault",), ("metadata",)], ids="-".join)
def test_a_clock_that_is_ten_minutes_off(world: World, tally: Tally, only: tuple[str, ...]) -> None:
    """This server's is behind those of all services, or one service's is ahead; STS's is AWS's."""
    with world.agent(20) as (agent, proxies), clock_ahead(SKEW if "aws" in only else timedelta()):
        for service in only:
            proxies[service].skewed = True
        ended = agent.run()
        world.judge(tally, "clock skew of 10 minutes", " and ".join(only), agent, ended)
        assert ended.code == 0, ended.err


def test_metadata_that_refuse_for_20_seconds(world: World, tally: Tally) -> None:
    with world.agent(60) as (agent, proxies):
        call = "PUT /latest/api/token"
        proxies["metadata"].rule = Rule(call, "500", always=True)
        with subprocess.Popen(
            agent.command(), env=dict(agent.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(20)
            proxies["metadata"].rule = None
            out, err = process.communicate(timeout=40)
        world.judge(tally, "IMDS refusing for 20 s", call, agent, Ended(process.returncode, out, err))
        assert process.returncode == 0, err


def test_sigkill_between_any_two_writes(world: World, tally: Tally) -> None:
    number = killed = 0
    states: list[State | None] = []
    while True:
        number += 1
        with world.agent(20) as (agent, _proxies):
            ended = agent.run(start=KILLED.format(number=number) + START)
            world.judge(tally, "SIGKILL between two writes", f"before write {number}", agent, ended)
            if ended.code != -signal.SIGKILL:
                assert ended.code == 0, ended.err
                break
            killed += 1
            states.append(found(agent))
            again = agent.run()
            world.judge(tally, "a run after a SIGKILL", f"after write {number}", agent, again)
            assert again.code == 0, again.err
            assert len(list(agent.root.iterdir())) == 2
    assert killed >= 6
    assert OLD in states and world.new in states


@pytest.mark.parametrize("kilobytes", [8, 12, 16])
def test_a_full_tmpfs(world: World, tally: Tally, kilobytes: int) -> None:
    with world.agent(20) as (agent, _proxies):
        shutil.rmtree(agent.root)
        agent.root.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0700", "config-faults", str(agent.root)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("a tmpfs can be mounted by root only")
        try:
            # The old state takes two pages of 4 kB, the new one two more beside it.
            put_old(agent)
            ended = agent.run()
            world.judge(tally, "a full tmpfs", f"{kilobytes} kB", agent, ended)
            assert ended.code == (16 if kilobytes < 16 else 0), ended.err
        finally:
            subprocess.run(["umount", str(agent.root)], check=True)


def test_no_case_left_a_part_and_none_leaked(tally: Tally) -> None:
    """The last of this file: it sums up."""
    assert tally.kinds.total() > 200
    assert tally.partial == []
    assert tally.leaked == []
