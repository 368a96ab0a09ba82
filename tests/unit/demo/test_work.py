# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo does without AWS: commands and their logs, releases and their revisions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lab.demo.commands import Commands
from lab.demo.journal import DemoError
from lab.demo.releases import SHOP, commit, copy, fingerprint
from lab.settings import CHECKOUT


@pytest.fixture
def told() -> list[str]:
    """Lines that were shown."""
    return []


@pytest.fixture
def commands(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands in an environment with settings for a real account."""
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("ANSIBLE_CONFIG", "/nowhere")
    return Commands(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, told.append)


def test_progress_is_shown_and_everything_logged(commands: Commands, told: list[str], tmp_path: Path) -> None:
    printed = commands.run("talk", ["printf", "staging | waits\nTASK [x]\nlab: API: started\n"])
    assert told == ["staging | waits", "lab: API: started"]
    assert (tmp_path / "01-talk.log").read_text() == printed == "staging | waits\nTASK [x]\nlab: API: started\n"


def test_a_failure_names_the_log_and_the_last_lines(commands: Commands, tmp_path: Path) -> None:
    with pytest.raises(DemoError) as failed:
        commands.run("break", ["sh", "-c", "seq 100; echo why it failed >&2; exit 3"])
    lines = str(failed.value).splitlines()
    assert lines[0] == f"sh -c ended with 3; see {tmp_path / '01-break.log'}"
    assert lines[-1].strip() == "why it failed"
    assert len(lines) == 13


def test_settings_for_a_real_account_do_not_reach_the_lab(commands: Commands) -> None:
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    seen = json.loads(commands.run("env", [sys.executable, "-c", code]))
    assert {name for name in seen if name.startswith("AWS_")} == {"AWS_ENDPOINT_URL"}
    assert "ANSIBLE_CONFIG" not in seen
    assert seen["PWD"] == str(CHECKOUT)


def test_a_playbook_that_fails_is_one_error(commands: Commands) -> None:
    with pytest.raises(DemoError, match=r"ansible-playbook playbooks/deploy\.yml ended with \d; see .*01-none\.log"):
        commands.playbook("deploy", "none", env="no-such-env")


def test_two_releases_differ_in_what_a_page_shows(tmp_path: Path) -> None:
    first, second = (commit(number, copy(number, tmp_path), b"lock") for number in (1, 2))
    again = commit(1, copy(1, tmp_path / "elsewhere"), b"lock")
    assert first.revision == again.revision != second.revision
    assert first.release().endswith(first.revision[:7])
    notes = [(source.folder / "RELEASE_NOTE").read_text() for source in (first, second)]
    assert notes[0] != notes[1]
    left = {path.relative_to(first.folder) for path in first.folder.rglob("*") if ".git" not in path.parts}
    assert {path.relative_to(SHOP) for path in SHOP.glob("*/**/*.rb")} <= left


def test_a_release_without_a_new_lock_has_another_revision(tmp_path: Path) -> None:
    assert commit(1, copy(1, tmp_path), b"a").revision != commit(1, copy(1, tmp_path), b"b").revision


def test_fingerprint_sees_contents_names_and_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.demo.releases.CHECKOUT", tmp_path)
    role = tmp_path / "role"
    (role / "tasks").mkdir(parents=True)
    seen = set()
    for name, content, fact in [("a", "1", "x"), ("a", "2", "x"), ("b", "2", "x"), ("b", "2", "y")]:
        for old in (role / "tasks").iterdir():
            old.unlink()
        (role / "tasks" / name).write_text(content)
        seen.add(fingerprint([role], fact))
    assert len(seen) == 4
    assert fingerprint([role], "y") in seen
