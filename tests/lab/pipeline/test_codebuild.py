# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of buildspecs does what CodeBuild's documentation says of phases and failures, and knows ours."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.pipeline.codebuild import Build, artifacts, read
from tests.pipeline import BUILDSPEC


def build(folder: Path, phases: Mapping[str, Any], project: Mapping[str, str] | None = None) -> Build:
    """Builds a spec of these phases in a folder."""

    def run(command: str, variables: Mapping[str, str]) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=folder, env=dict(variables), capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    made = Build("shop-bake")
    spec = {"version": 0.2, "env": {"variables": {"WHO": "spec", "PATH": "/usr/bin:/bin"}}, "phases": phases}
    made.run(spec, project or {}, str(folder), run)
    return made


def steps(made: Build) -> list[str]:
    return [f"{phase.name} {phase.status}" for phase in made.phases]


def say(word: str, *more: str) -> dict[str, Any]:
    return {"commands": [f"echo {word} $CODEBUILD_BUILD_SUCCEEDING", *more]}


ALL = {"install": say("i"), "pre_build": say("p"), "build": say("b"), "post_build": say("o")}


def test_the_phases_run_in_their_order(tmp_path: Path) -> None:
    made = build(tmp_path, dict(reversed(ALL.items())))
    assert made.status == "SUCCEEDED"
    assert [line for line in made.log.splitlines() if "Running" not in line] == ["i 1", "p 1", "b 1", "o 1"]


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        ("install", ["INSTALL FAILED"]),
        ("pre_build", ["INSTALL SUCCEEDED", "PRE_BUILD FAILED"]),
        ("build", ["INSTALL SUCCEEDED", "PRE_BUILD SUCCEEDED", "BUILD FAILED", "POST_BUILD SUCCEEDED"]),
        ("post_build", ["INSTALL SUCCEEDED", "PRE_BUILD SUCCEEDED", "BUILD SUCCEEDED", "POST_BUILD FAILED"]),
    ],
)
def test_what_follows_on_a_failure(tmp_path: Path, fails: str, expected: list[str]) -> None:
    made = build(tmp_path, {**ALL, fails: say("x", "exit 3", "echo never")})
    assert (steps(made), made.status) == (expected, "FAILED")
    assert "\nnever" not in made.log
    failed = next(phase for phase in made.phases if phase.status == "FAILED")
    assert failed.context.endswith("Error while executing command: exit 3. Reason: exit status 3")


def test_post_build_knows_that_the_build_failed(tmp_path: Path) -> None:
    assert "\no 0\n" in build(tmp_path, {**ALL, "build": {"commands": ["false"]}}).log


def test_finally_runs_after_a_failure_too(tmp_path: Path) -> None:
    made = build(tmp_path, {"install": {"commands": ["false"], "finally": ["echo at last"]}})
    assert "\nat last\n" in made.log and made.status == "FAILED"


def test_the_projects_variables_win_over_the_specs(tmp_path: Path) -> None:
    assert "\nproject\n" in build(tmp_path, {"build": {"commands": ["echo $WHO"]}}, {"WHO": "project"}).log


def test_no_command_sees_what_another_has_exported(tmp_path: Path) -> None:
    made = build(
        tmp_path, {"build": {"commands": ["export A=1; cd /", 'echo "<$A>"; test "$PWD" = "$CODEBUILD_SRC_DIR"']}}
    )
    assert "\n<>\n" in made.log and made.status == "SUCCEEDED"


def test_what_the_runner_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "buildspec.yml").write_text("version: 0.2\nphases: {build: {on-failure: CONTINUE}}\n")
    with pytest.raises(AssertionError, match=r"on-failure.* is something that only CodeBuild knows"):
        read(tmp_path / "buildspec.yml")


def test_every_command_of_ours_is_one_for_sh() -> None:
    for phase in read(BUILDSPEC)["phases"].values():
        for command in phase["commands"]:
            subprocess.run(["/bin/sh", "-n", "-c", command], check=True)


def test_artifacts_of_ours() -> None:
    found = artifacts(
        read(BUILDSPEC),
        [
            "build/bake/result.json",
            "build/bake/r1/app.log",
            "build/bake/r1/app.cdx.json",
            "build/bake/cache/x",
            "Gemfile",
        ],
    )
    assert sorted(found.values()) == ["app.cdx.json", "app.log", "result.json"]
