# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command: from a declaration to what is written, or to a typed exit code with the cause as the last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull import commands
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.cli import main
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import Exit

from .conftest import Peer

DECLARATION = """
sources:
  - {parameter_store: "/{app}/{env}/"}
keys:
  DATABASE_URL: {required: true}
  SECRET_KEY_BASE: {required: true}
  LEVEL: {secret: false}
"""
SECRET = "s3cret"


def page(**values: str) -> tuple[int, str]:
    found = [{"Name": f"/shop/prod/{name}", "Value": value, "Version": 1} for name, value in values.items()]
    return 200, json.dumps({"Parameters": found})


WHOLE = page(DATABASE_URL=SECRET, SECRET_KEY_BASE=SECRET, LEVEL="info", MORE=SECRET)


@pytest.fixture(name="arguments")
def fixture_arguments(tmp_path: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", peer.url)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "c.yml").write_text(DECLARATION)
    paths = ["--declaration", str(tmp_path / "c.yml"), "--root", str(tmp_path / "run")]
    return ["--app", "shop", "--env", "prod", "--deadline", "2", *paths]


def test_complete(arguments: list[str], peer: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peer.answers = [WHOLE]
    assert main(arguments) == Exit.OK
    written = (tmp_path / "run/current/config.env").read_text()
    assert written == f'DATABASE_URL="{SECRET}"\nLEVEL="info"\nMORE="{SECRET}"\nSECRET_KEY_BASE="{SECRET}"\n'
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "config-pull: MORE is not declared (parameter_store /shop/prod/); passed on",
        f"config-pull: 4 variables and 0 files written to {tmp_path}/run/current",
    ]


def test_incomplete_writes_nothing_and_ends_with_the_cause(
    arguments: list[str], peer: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer.answers = [page(PATH=SECRET)]
    assert main(arguments) == Exit.INCOMPLETE
    assert not (tmp_path / "run").exists()
    err = capsys.readouterr().err
    assert SECRET not in err
    assert [line.split()[1] for line in err.splitlines()] == ["DATABASE_URL", "SECRET_KEY_BASE", "no"]
    cause = err.splitlines()[-1]
    assert cause.startswith("config-pull: no configuration, the app does not start: 'PATH' in parameter_store")
    assert cause.endswith("(3 problems, the others stand above) [incomplete, exit code 15]")


def test_check_shows_keys_and_sources_and_writes_nothing(
    arguments: list[str], peer: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer.answers = [WHOLE]
    assert main(["check", "--json", *arguments]) == Exit.OK
    out = capsys.readouterr().out
    assert SECRET not in out
    assert [(entry["key"], entry["value"]) for entry in json.loads(out)] == [
        ("DATABASE_URL", None),
        ("LEVEL", "info"),
        ("MORE", None),
        ("SECRET_KEY_BASE", None),
    ]
    assert main(["check", *arguments]) == Exit.OK
    assert "LEVEL = 'info' from parameter_store /shop/prod/ (variable, 4 bytes)" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_diff(arguments: list[str], peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    peer.answers = [WHOLE]
    assert main(["diff", *arguments]) == Exit.DELIVERY
    main(arguments)
    capsys.readouterr()
    assert main(["diff", *arguments]) == Exit.OK
    peer.answers = [page(DATABASE_URL="new", SECRET_KEY_BASE=SECRET)]
    assert main(["diff", "--json", *arguments]) == Exit.DIFFERENT
    assert {each["key"]: each["change"] for each in json.loads(capsys.readouterr().out)} == {
        "DATABASE_URL": "changed",
        "LEVEL": "removed",
        "MORE": "removed",
    }


def test_a_declaration_can_be_checked_alone(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-declaration", *arguments]) == Exit.OK
    (tmp_path / "c.yml").write_text("sources: []\n")
    assert main(["check-declaration", *arguments]) == Exit.DECLARATION
    assert "c.yml: sources must be a list of at least one source [declaration, exit code 10]" in capsys.readouterr().err


def test_a_failure_can_tag_the_instance(arguments: list[str], peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    denied = (400, json.dumps({"__type": "AccessDeniedException"}))
    peer.answers = [denied, (200, "token"), (200, "i-0123"), (200, "<CreateTagsResponse/>")]
    assert main(["--tag", *arguments]) == Exit.DENIED
    assert b"ResourceId.1=i-0123&Tag.1.Key=config-pull&Tag.1.Value=denied+%2812%29" in peer.bodies[-1]
    assert "could not be tagged" not in capsys.readouterr().err


def test_a_mistake_of_its_own_shows_no_value(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_run: commands.Run) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(commands, "fetch", fail)
    assert main(arguments) == Exit.INTERNAL
    err = capsys.readouterr().err
    assert SECRET not in err
    assert "a mistake of config-pull's own: KeyError at test_cli.py:" in err
