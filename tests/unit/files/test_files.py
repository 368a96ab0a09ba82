# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""immutable.ec2.files, run by Ansible on this machine over a folder."""

from __future__ import annotations

import getpass
import grp
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Entry = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A playbook's folder, with ``files`` and ``templates``, and the folder that stands for the server's."""

    folder: Path

    @property
    def server(self) -> Path:
        return self.folder / "server"

    def source(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def run(self, entries: list[Entry], *arguments: str) -> dict[str, Any]:
        """What the task returned, whether it failed or not; its entries' paths are of the server's folder."""
        placed = [{**entry, "path": str(self.server / entry["path"])} for entry in entries]
        owners = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
        task = {"name": "Put them there", "immutable.ec2.files": {"files": placed, **owners}}
        play = [{"hosts": "localhost", "gather_facts": False, "vars": {"colour": "blue"}, "tasks": [task]}]
        (self.folder / "play.yml").write_text(json.dumps(play))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "play.yml", *arguments],
            cwd=self.folder,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)["plays"][0]["tasks"][0]["hosts"]["localhost"]
        return answer

    def refusal(self, *entries: Entry) -> str:
        answer = self.run(list(entries))
        assert answer.get("failed"), answer
        return str(answer["msg"])

    def mode(self, path: str) -> str:
        return oct((self.server / path).stat().st_mode & 0o7777)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "server").mkdir()
    return Place(tmp_path)


ALL: list[Entry] = [
    {"path": "etc", "state": "directory"},
    {"path": "etc/plain", "content": "one\n"},
    {"path": "etc/run", "src": "run", "mode": "0755"},
    {"path": "etc/unit", "template": "unit.j2"},
    {"path": "etc/link", "state": "link", "src": "/var/lib/app"},
    {"path": "etc/old", "state": "absent"},
    {"path": "package", "state": "directory", "src": "package"},
]


@pytest.fixture
def all_of_them(place: Place) -> Place:
    place.source("files/run", "#!/bin/sh\n")
    place.source("templates/unit.j2", "{% if colour %}\nColour={{ colour }}\n{% endif %}\n")
    place.source("files/package/inner/one.py", "1\n")
    place.source("files/package/inner/__pycache__/one.pyc", "compiled")
    return place


def test_each_kind_is_made_in_one_run(all_of_them: Place) -> None:
    answer = all_of_them.run(ALL)
    server = all_of_them.server
    assert (server / "etc/plain").read_text() == "one\n"
    assert (server / "etc/run").read_text() == "#!/bin/sh\n"
    assert (server / "etc/unit").read_text() == "Colour=blue\n"
    assert os.readlink(server / "etc/link") == "/var/lib/app"
    assert (server / "package/inner/one.py").read_text() == "1\n"
    assert not (server / "package/inner/__pycache__").exists(), "compiled for another Python"
    assert (all_of_them.mode("etc"), all_of_them.mode("etc/plain"), all_of_them.mode("etc/run")) == (
        "0o755",
        "0o644",
        "0o755",
    )
    assert answer["changed"]


def test_the_same_again_changes_nothing(all_of_them: Place) -> None:
    all_of_them.run(ALL)
    answer = all_of_them.run(ALL)
    assert (answer["changed"], answer["paths"], answer["diff"]) == (False, [], [])


def test_check_mode_tells_what_a_run_changes_and_writes_nothing(all_of_them: Place) -> None:
    told = all_of_them.run(ALL, "--check")
    assert list(all_of_them.server.iterdir()) == []
    done = all_of_them.run(ALL)
    assert told["paths"] == done["paths"] != []


def test_only_what_differs_is_named(place: Place) -> None:
    place.run([{"path": "one", "content": "1\n"}, {"path": "two", "content": "2\n"}])
    answer = place.run([{"path": "one", "content": "1\n"}, {"path": "two", "content": "3\n"}])
    assert answer["paths"] == [str(place.server / "two")]


def test_those_above_a_directory_are_made_with_it(place: Place) -> None:
    entries: list[Entry] = [{"path": f"one/two/{name}/", "state": "directory", "mode": "0750"} for name in "ab"]
    expected = [str(place.server / path) for path in ("one", "one/two", "one/two/a", "one/two/b")]
    assert place.run(entries, "--check")["paths"] == expected
    assert place.run(entries)["paths"] == expected
    assert (place.mode("one/two"), place.mode("one/two/b")) == ("0o750", "0o750")


def test_a_wrong_mode_is_a_change(place: Place) -> None:
    place.run([{"path": "one", "content": "1\n", "mode": "0600"}])
    assert place.run([{"path": "one", "content": "1\n"}])["changed"]
    assert place.mode("one") == "0o644"


def test_the_difference_is_shown(place: Place) -> None:
    place.run([{"path": "one", "content": "1\n"}])
    (shown,) = place.run([{"path": "one", "content": "2\n"}], "--check", "--diff")["diff"]
    assert (shown["before"], shown["after"]) == ("1\n", "2\n")


def test_a_file_that_does_not_validate_is_not_put_in_place(place: Place) -> None:
    place.run([{"path": "one", "content": "good\n"}])
    said = place.refusal({"path": "one", "content": "bad\n", "validate": "grep good %s"})
    assert "grep good" in said
    assert (place.server / "one").read_text() == "good\n"
    assert [file.name for file in place.server.iterdir()] == ["one"]


def test_a_directory_is_removed_with_what_it_holds(place: Place) -> None:
    place.run([{"path": "etc", "state": "directory"}, {"path": "etc/one", "content": "1"}])
    assert place.run([{"path": "etc", "state": "absent"}])["changed"]
    assert not (place.server / "etc").exists()


def test_a_link_is_led_elsewhere(place: Place) -> None:
    place.run([{"path": "link", "state": "link", "src": "/one"}])
    place.run([{"path": "link", "state": "link", "src": "/two"}])
    assert os.readlink(place.server / "link") == "/two"


def test_what_a_removed_link_led_to_stays(place: Place) -> None:
    place.run([{"path": "kept", "state": "directory"}, {"path": "link", "state": "link", "src": "kept"}])
    place.run([{"path": "link", "state": "absent"}])
    assert [file.name for file in place.server.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"path": "one"}, "a file needs one of content, template, src, not none"),
        (
            {"path": "one", "content": "1", "src": "two"},
            "a file needs one of content, template, src, not ['content', 'src']",
        ),
        ({"path": "one", "state": "link"}, "a link needs src"),
        ({"path": "one", "src": "nowhere"}, "nowhere is not found on the controller"),
        ({"path": "one", "template": "wrong.j2"}, "wrong.j2 can't be rendered"),
        ({"path": "none/one", "content": "1"}, "could not be made a file: No such file or directory"),
        ({"path": ".", "content": "1"}, "could not be made a file: there is a directory"),
        ({"path": "/proc/version", "state": "absent"}, "/proc/version could not be removed: "),
        ({"path": "one", "state": "socket"}, "value of state must be one of"),
    ],
)
def test_what_can_not_be_is_refused_in_words(place: Place, entry: Entry, said: str) -> None:
    place.source("templates/wrong.j2", "{{ unknown }}")
    assert said in place.refusal(entry)
    assert list(place.server.iterdir()) == []


def test_what_is_not_text_is_refused(place: Place) -> None:
    (place.folder / "files").mkdir()
    (place.folder / "files/picture").write_bytes(b"\xff\xfe")
    assert "is not text: take ansible.builtin.copy" in place.refusal({"path": "one", "src": "picture"})
