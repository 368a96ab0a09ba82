# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command: from a declaration to a file, or to a typed exit code and no file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from roles.config_pull.files.config_pull.cli import main
from roles.config_pull.files.config_pull.errors import Exit

DECLARATION = """
sources:
  - {parameter_store: "/{app}/{env}/"}
  - {secrets_manager: "{app}/{env}/rails"}
keys:
  DATABASE_URL: {required: true}
  SECRET_KEY_BASE: {required: true}
"""


@pytest.fixture(name="arguments")
def fixture_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "c.yml").write_text(DECLARATION)
    paths = ["--declaration", str(tmp_path / "c.yml"), "--output", str(tmp_path / "config.env")]
    with mock_aws():
        yield ["--app", "shop", "--env", "prod", "--deadline", "2", *paths]


def test_complete(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ssm = boto3.client("ssm", region_name="eu-west-1")
    ssm.put_parameter(Name="/shop/prod/DATABASE_URL", Value="postgres://s3cret", Type="SecureString")
    ssm.put_parameter(Name="/shop/prod/MORE", Value="s3cret", Type="String")
    secret = json.dumps({"SECRET_KEY_BASE": "s3cret$"})
    boto3.client("secretsmanager", region_name="eu-west-1").create_secret(Name="shop/prod/rails", SecretString=secret)
    assert main(arguments) == Exit.OK
    expected = 'DATABASE_URL="postgres://s3cret"\nMORE="s3cret"\nSECRET_KEY_BASE="s3cret\\$"\n'
    assert (tmp_path / "config.env").read_text() == expected
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "config-pull: MORE is not declared (parameter_store /shop/prod/); passed on",
        f"config-pull: 3 variables written to {tmp_path}/config.env",
    ]


def test_incomplete_writes_nothing(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = json.dumps({"PATH": "s3cret"})
    boto3.client("secretsmanager", region_name="eu-west-1").create_secret(Name="shop/prod/rails", SecretString=secret)
    assert main(arguments) == Exit.INCOMPLETE
    assert not (tmp_path / "config.env").exists()
    err = capsys.readouterr().err
    assert "s3cret" not in err
    assert err.splitlines()[-1] == "config-pull: 3 problems, no configuration: the app does not start"
    assert [line.split()[1] for line in err.splitlines()[:-1]] == ["'PATH'", "DATABASE_URL", "SECRET_KEY_BASE"]


def test_a_missing_source_is_named(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == Exit.NOT_FOUND
    assert not (tmp_path / "config.env").exists()
    assert "secrets_manager shop/prod/rails: there is no such entry" in capsys.readouterr().err


def test_a_declaration_can_be_checked_alone(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--check-declaration"]) == Exit.OK
    (tmp_path / "c.yml").write_text("sources: []\n")
    assert main([*arguments, "--check-declaration"]) == Exit.DECLARATION
    assert capsys.readouterr().err == f"config-pull: {tmp_path}/c.yml: sources must be a list of at least one source\n"
