# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CodeBuild does with a buildspec, as far as ours uses it: its phases, their commands, what follows on a failure.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html

Since version 0.2 CodeBuild runs all commands in one instance of the shell. Here each has an instance of its own: a
buildspec that needs less works there too. CodeBuild itself can't run in the lab.
"""

from __future__ import annotations

import fnmatch
import posixpath
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: Which phases are of commands, in their order.
PHASES = ("install", "pre_build", "build", "post_build")
#: A failure in any other of them ends the build.
GOES_ON_AFTER = {"build"}
KNOWN = {
    "": {"version", "env", "phases", "artifacts", "cache"},
    "env": {"variables"},
    "phases": {*PHASES},
    "phase": {"commands", "finally"},
    "artifacts": {"files", "discard-paths"},
    "cache": {"paths"},
}

#: Runs one command by `sh` in the source's folder, with these variables; returns its exit status and what it printed.
Run = Callable[[str, Mapping[str, str]], tuple[int, str]]


@dataclass(frozen=True)
class Phase:
    """One phase of a build, when it is over."""

    name: str
    status: str
    seconds: int = 0
    context: str = ""

    def shown(self) -> dict[str, Any]:
        """As CodeBuild's events have it."""
        return {
            "phase-type": self.name,
            "phase-status": self.status,
            "duration-in-seconds": self.seconds,
            "phase-context": [self.context] if self.context else [],
        }


@dataclass
class Build:
    """One build of a project.

    Attributes:
        log: what its commands printed.
    """

    project: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    phases: list[Phase] = field(default_factory=list)
    log: str = ""

    @property
    def status(self) -> str:
        return "SUCCEEDED" if all(phase.status == "SUCCEEDED" for phase in self.phases) else "FAILED"

    @property
    def url(self) -> str:
        return f"https://eu-west-1.console.aws.amazon.com/codesuite/codebuild/projects/{self.project}/build/{self.id}"

    def change(self) -> dict[str, Any]:
        """The detail of the event at its end."""
        return {
            "build-status": self.status,
            "project-name": self.project,
            "build-id": f"arn:aws:codebuild:eu-west-1:123456789012:build/{self.project}:{self.id}",
            "additional-information": {
                "build-complete": True,
                "logs": {"deep-link": self.url},
                "phases": [phase.shown() for phase in self.phases],
            },
        }

    def run(self, spec: Mapping[str, Any], project: Mapping[str, str], source: str, run: Run) -> None:
        """Runs the spec's phases with the project's variables, which win over the spec's."""
        own = {
            "CODEBUILD_BUILD_ID": f"{self.project}:{self.id}",
            "CODEBUILD_BUILD_URL": self.url,
            "CODEBUILD_SRC_DIR": source,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        variables = {**spec.get("env", {}).get("variables", {}), **project, **own}
        for name in PHASES:
            phase = spec["phases"].get(name, {})
            began, why = time.monotonic(), ""
            succeeding = "1" if self.status == "SUCCEEDED" else "0"
            given = {**variables, "CODEBUILD_BUILD_SUCCEEDING": succeeding}
            for commands in (phase.get("commands", []), phase.get("finally", [])):
                why = self._commands(commands, given, run) or why
            seconds = round(time.monotonic() - began)
            self.phases.append(Phase(name.upper(), "FAILED" if why else "SUCCEEDED", seconds, why))
            if why and name not in GOES_ON_AFTER:
                return

    def _commands(self, commands: Sequence[str], variables: Mapping[str, str], run: Run) -> str:
        """Why they failed, if they did: the first that fails ends them."""
        for command in commands:
            self.log += f"Running command {command}\n"
            status, printed = run(command, variables)
            self.log += printed
            if status:
                return (
                    f"COMMAND_EXECUTION_ERROR: Error while executing command: {command}. Reason: exit status {status}"
                )
        return ""


def read(file: Path) -> dict[str, Any]:
    """A buildspec, once it is certain that this module knows all that is in it."""
    spec: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert spec["version"] == 0.2
    parts = {"": spec, **{part: spec.get(part, {}) for part in ("env", "phases", "artifacts", "cache")}}
    parts |= {"phase": {key: True for phase in spec["phases"].values() for key in phase}}
    for part, content in parts.items():
        assert set(content) <= KNOWN[part], (
            f"{part}: {set(content) - KNOWN[part]} is something that only CodeBuild knows"
        )
    return spec


def artifacts(spec: Mapping[str, Any], files: Sequence[str]) -> dict[str, str]:
    """Which of the source folder's files are artifacts: their names in the output by their paths."""
    wanted = spec.get("artifacts", {})
    flat = wanted.get("discard-paths") == "yes"
    return {
        file: posixpath.basename(file) if flat else file
        for file in files
        if any(_matches(file, pattern) for pattern in wanted.get("files", []))
    }


def _matches(file: str, pattern: str) -> bool:
    parts, patterns = file.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))
