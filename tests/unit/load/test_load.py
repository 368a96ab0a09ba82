# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client against real servers: the rate is held, and every failure is counted."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from lab.load import Load, LoadError, Summary, read_records, summarise

CHECKOUT = Path(__file__).parents[3]


class Server(Protocol):
    """What the serve fixture gives."""

    url: str
    port: int

    def kill(self) -> None: ...


Serve = Callable[..., Server]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.load", *arguments], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )


def test_the_rate_is_held_and_cheap(serve: Serve, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = serve("one")
    done = command(server.url, "--rate", "250", "--duration", "4", "--json", "--out", str(tmp_path / "out"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = Summary.from_json(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done
    assert summary.requests == 1000
    assert summary.rate == pytest.approx(250, rel=0.01)
    assert (summary.failed, summary.behind) == (0, False)
    assert (summary.by_release, summary.by_status) == ({"one": 1000}, {"200": 1000})
    # Its start included (0.3 s), so that a whole core is never taken from what is measured.
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu < 1.5, f"{cpu:.2f} s of CPU for 1000 requests"


def test_a_slow_server_does_not_slow_the_arrivals(silent_port: int, tmp_path: Path) -> None:
    done = command(
        *(f"http://127.0.0.1:{silent_port}", "--rate", "100", "--duration", "2", "--timeout", "0.5"),
        *("--json", "--out", str(tmp_path / "out")),
    )
    summary = Summary.from_json(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert (summary.requests, summary.failed) == (200, 200)
    assert summary.rate == pytest.approx(100, rel=0.01)
    assert summary.by_error == {"timeout": 200}
    assert not summary.behind


def test_a_killed_server_is_counted_until_it_is_back(serve: Serve, tmp_path: Path) -> None:
    server = serve("one")
    with Load(server.url, tmp_path / "out", rate=200) as load:
        time.sleep(1)
        server.kill()
        killed = time.time()
        time.sleep(1)
        serve("two", port=server.port)
        back = time.time()
        time.sleep(1)
        summary = load.stop()
    failures = [record for record in load.records() if record.failed]
    assert summary.failed == len(failures)
    # All that came while it was away, less what the start of the second server took.
    assert 150 <= summary.failed <= (back - killed) * 200 + 20
    assert set(summary.by_error) <= {"refused", "reset", "cut off"}
    assert summary.by_error["refused"] > 100
    assert summary.by_release["one"] > 150
    assert summary.by_release["two"] > 150
    assert all(killed - 0.1 <= record.t <= back + 0.1 for record in failures)


def test_error_replies_are_failures_with_their_release(serve: Serve, tmp_path: Path) -> None:
    server = serve("one")
    done = command(
        *(server.url, "--rate", "100", "--duration", "1", "--paths", "/,/broken"),
        *("--json", "--out", str(tmp_path / "out")),
    )
    summary = Summary.from_json(done.stdout.splitlines()[-1])
    assert (summary.requests, summary.failed) == (100, 50)
    assert summary.by_status == {"200": 50, "503": 50}
    assert summary.by_release == {"one": 100}
    assert {record.path for record in read_records(tmp_path / "out") if record.failed} == {"/broken"}


def test_the_file_tells_the_same_as_the_summary(serve: Serve, tmp_path: Path) -> None:
    with Load(serve("one").url, tmp_path / "out", rate=50) as load:
        time.sleep(0.5)
        printed = load.stop()
    again = summarise(load.records())
    assert (again.requests, again.failed, again.p99_ms) == (printed.requests, 0, printed.p99_ms)
    first = json.loads((tmp_path / "out").read_text().splitlines()[0])
    assert set(first) == {"t", "path", "status", "release", "ms", "error"}


def test_it_ends_when_its_starter_is_killed(serve: Serve, tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, os, signal\n"
        "from lab.load import Load\n"
        "Load(sys.argv[1], pathlib.Path(sys.argv[2]), rate=50).start()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", script, serve("one").url, str(out)], cwd=CHECKOUT, check=False)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        # Records are written when the client ends.
        if out.stat().st_size and str(out) not in _commands():
            return
        time.sleep(0.05)
    pytest.fail("the load client outlived its starter")


def _commands() -> str:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_a_client_that_cannot_keep_up_says_so(serve: Serve, tmp_path: Path) -> None:
    done = command(serve("one").url, "--rate", "100000", "--duration", "0.1", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "the client itself fell behind" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ftp://x", "--duration", "1"], "'ftp://x' is not an http:// URL with a host"),
        (["http://x/up", "--duration", "1"], "give the paths with --paths"),
        (["http://x", "--duration", "0"], "0 is not above zero"),
        (["http://x", "--duration", "1", "--paths", "up"], "'up' is not a path that begins with /"),
        (["http://x"], "one of the arguments --duration --until-signal --until-stdin-closes is required"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = command(*arguments, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_load_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"cannot write the records to .*: No such file or directory"):
        Load("http://127.0.0.1:1", tmp_path / "none" / "out").start()
