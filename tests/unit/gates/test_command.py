# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real commands: what they get, what their end means, and that nothing of them is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates import command
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.command import run_command
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import PreviewAccess
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.output import Output, secrets
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import CommandSettings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import GateState, Verdict

SECRET = "0123456789abcdef0123456789abcdef"
PREVIEW = PreviewAccess("http://192.0.2.1:8000/", "X-Preview", SECRET)


class AbortAsked(Exception):
    """What an engine may raise while it keeps the lease."""


def run(
    line: str,
    timeout: float = 60,
    tell: Callable[[str], None] = lambda _line: None,
    keep: Callable[[], None] = lambda: None,
    preview: PreviewAccess = PREVIEW,
) -> Verdict:
    return run_command(CommandSettings("smoke", line, timedelta(seconds=timeout)), preview, tell, keep)


def gone(pid_file: Path) -> bool:
    """Whether the process that wrote its id there has ended (one that nobody has waited for yet has)."""
    try:
        state = Path("/proc", pid_file.read_text().strip(), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def wait_until_gone(pid_file: Path) -> None:
    """A process that was killed is gone a moment later."""
    deadline = time.monotonic() + 20
    while not gone(pid_file):
        assert time.monotonic() < deadline, f"process {pid_file.read_text()} is still there"
        time.sleep(0.02)


def abort_once(seen: Path) -> Callable[[], None]:
    """A keep() that raises as soon as the command has written the file."""

    def keep() -> None:
        if seen.exists() and seen.read_text():
            raise AbortAsked

    return keep


# ---------------------------------------------------------------- what the end means


def test_exit_status_0_passes() -> None:
    verdict = run("true")
    assert verdict.state is GateState.PASSED and verdict.words == "smoke passed in 0 s"
    assert verdict.gate == "command"


def test_another_exit_status_fails_with_the_last_lines() -> None:
    verdict = run("for i in 1 2 3 4 5 6 7; do echo line $i; done; echo no newline >&2; exit 3")
    assert verdict.state is GateState.FAILED
    said = "line 4 / line 5 / line 6 / line 7 / no newline"
    assert verdict.words == f"smoke ended with exit status 3; it said: {said}"


def test_a_command_that_prints_nothing_fails_with_that() -> None:
    assert run("exit 1").words == "smoke ended with exit status 1; it said: nothing"


def test_a_command_that_is_not_there_fails_and_is_named() -> None:
    verdict = run("bin/no-such-smoke")
    assert verdict.state is GateState.FAILED and "bin/no-such-smoke" in verdict.words


def test_a_command_that_crashes_fails() -> None:
    assert run("kill -SEGV $$").words == "smoke was ended by signal 11; it said: nothing"


def test_a_command_that_cannot_be_started_fails() -> None:
    too_long_for_the_system = ":" + " " * 3_000_000
    verdict = run(too_long_for_the_system)
    assert verdict.state is GateState.FAILED and "could not be started" in verdict.words


# ---------------------------------------------------------------- what it gets


def test_it_reaches_the_preview_by_its_environment() -> None:
    lines = f'test "$PREVIEW_URL $PREVIEW_HEADER $PREVIEW_SECRET" = "{PREVIEW.url} X-Preview {SECRET}"'
    assert run(lines).state is GateState.PASSED


@pytest.mark.parametrize("text", ["{{ preview_url }}", "{{preview_url}}", "{{  preview_url  }}"])
def test_the_url_stands_where_the_file_names_it(text: str) -> None:
    assert run(f"test {text} = {PREVIEW.url}").state is GateState.PASSED


def test_the_url_is_a_word_to_the_shell_whatever_is_in_it(tmp_path: Path) -> None:
    marker = tmp_path / "made"
    nasty = PreviewAccess(f"http://host/$(touch {marker})?a=1&b=';", "X-Preview", SECRET)
    assert run('test {{ preview_url }} = "$PREVIEW_URL"', preview=nasty).state is GateState.PASSED
    assert not marker.exists()


def test_it_has_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "yes")
    assert run("test $OF_THE_CALLER = yes").state is GateState.PASSED


def test_it_runs_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smoke").touch()
    monkeypatch.chdir(tmp_path)
    assert run("test -f smoke").state is GateState.PASSED


def test_it_has_no_input_though_the_caller_has() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"typed by the user")
    stdin = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert run('test -z "$(head -c 1)"').state is GateState.PASSED
    finally:
        os.dup2(stdin, 0)
        for descriptor in (stdin, reader, writer):
            os.close(descriptor)


# ---------------------------------------------------------------- what is told


def test_its_output_is_told_while_it_runs(tmp_path: Path) -> None:
    told: list[str] = []
    go_on = tmp_path / "go-on"
    verdict = run(
        f"echo checking the cart; until [ -e {go_on} ]; do sleep 0.05; done",
        tell=told.append,
        keep=lambda: go_on.touch() if told else None,
    )
    assert verdict.state is GateState.PASSED and told == ["smoke: checking the cart"]


def test_many_lines_are_told_sparsely(monkeypatch: pytest.MonkeyPatch) -> None:
    now, told = [100.0], []
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])

    def tell(line: str) -> None:
        told.append(line)
        now[0] += 1.0

    assert run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done", tell=tell).state is GateState.PASSED
    assert len(told) == 1


def test_a_later_line_is_told_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, told, go_on = [100.0], [], tmp_path / "go-on"
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])

    def tell(line: str) -> None:
        told.append(line)
        now[0] += command.TELL_EVERY_SECONDS
        (go_on if len(told) == 1 else tmp_path / "end").touch()

    wait = "until [ -e {} ]; do sleep 0.05; done"
    run(f"echo first; {wait.format(go_on)}; echo second; {wait.format(tmp_path / 'end')}", tell=tell)
    assert told == ["smoke: first", "smoke: second"]


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a+secret/key")
    told: list[str] = []
    line = (
        'echo "X-Preview: $PREVIEW_SECRET"; echo $PREVIEW_SECRET | tr a-f A-F; echo "$AWS_SECRET_ACCESS_KEY";'
        'printf "%.16s" $PREVIEW_SECRET; sleep 0.1; printf "%s" ${PREVIEW_SECRET#????????????????}; exit 1'
    )
    verdict = run(line, tell=told.append)
    assert verdict.words.endswith("it said: X-Preview: *** / *** / *** / ***")
    assert not any(SECRET in line for line in told)


def test_no_part_of_a_secret_is_left_where_an_endless_line_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token+" * 200)
    line = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); printf %s $AWS_SESSION_TOKEN; done; exit 1"
    assert set(run(line).words.partition("it said: ")[2]) == {"*"}


def test_what_a_terminal_would_act_on_is_left_out() -> None:
    verdict = run(r"printf '\033[31mred\033[0m \a50 %%\r100 %%\n'; exit 1")
    assert verdict.words.endswith("it said: red 50 % / 100 %")


def test_characters_survive_however_they_come() -> None:
    assert run(r"printf '\303'; sleep 0.1; printf '\251t\303\251 \377\n'; exit 1").words.endswith("été \ufffd")


# ---------------------------------------------------------------- how it ends


@pytest.mark.parametrize("output", ["", "exec >&- 2>&-;"])
def test_it_is_kept_while_it_says_nothing_and_costs_no_cpu(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, looks, go_on = [0], [0], tmp_path / "go-on"

    def monotonic() -> float:
        looks[0] += 1
        return time.monotonic()

    def keep() -> None:
        kept[0] += 1
        if kept[0] == 4:
            go_on.touch()

    monkeypatch.setattr(clock, "monotonic", monotonic)
    assert run(f"{output} until [ -e {go_on} ]; do sleep 0.05; done", keep=keep).state is GateState.PASSED
    assert kept[0] >= 4 and looks[0] < 20 * kept[0]


def test_its_time_over_it_fails_and_is_gone(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    verdict = run(f"echo $$ > {pid}; echo waiting; sleep 1000", timeout=0.5)
    assert verdict.state is GateState.FAILED
    assert verdict.words == "smoke did not end within 0.5 s; it said: waiting"
    wait_until_gone(pid)


def test_an_abort_ends_it_with_its_children_and_goes_on(tmp_path: Path) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    with pytest.raises(AbortAsked):
        run(f"echo $$ > {parent}; sleep 1000 & echo $! > {child}; wait", keep=abort_once(child))
    wait_until_gone(parent)
    wait_until_gone(child)


def test_it_may_clean_up_after_itself(tmp_path: Path) -> None:
    ready, cleaned = tmp_path / "ready", tmp_path / "cleaned"
    with pytest.raises(AbortAsked):
        run(
            f"trap 'sleep 0.2; echo done > {cleaned}; exit' TERM; echo yes > {ready}; while :; do sleep 0.05; done",
            keep=abort_once(ready),
        )
    assert cleaned.read_text() == "done\n"


def test_one_that_will_not_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GRACE_SECONDS", 0.3)
    pid = tmp_path / "pid"
    with pytest.raises(AbortAsked):
        run(f"trap '' TERM; echo $$ > {pid}; while :; do sleep 0.05; done", keep=abort_once(pid))
    wait_until_gone(pid)


def test_what_it_leaves_in_the_background_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert run(f"sleep 1000 & echo $! > {pid}").state is GateState.PASSED
    wait_until_gone(pid)


def test_the_output_is_closed_at_its_end() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    pipe = os.fdopen(reader, "rb")
    with Output(pipe, secrets({})):
        pass
    assert pipe.closed


def test_the_secret_is_not_in_a_printed_preview() -> None:
    assert SECRET not in repr(PREVIEW)
