# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the agent as a server does: a process of its own that is told where AWS is, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILES = Path(__file__).resolve().parents[3] / "plugins" / "module_utils"
START = f"import sys; sys.path.insert(0, {str(FILES)!r}); from config_pull.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def cause(self) -> str:
        """The last line."""
        return self.err.strip().splitlines()[-1]


@dataclass(frozen=True)
class Agent:
    """The agent in a folder: its declaration is ``config.yml`` in it, what it writes is below ``run``.

    Attributes:
        environment: all that the process gets.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 30

    @property
    def root(self) -> Path:
        return self.folder / "run"

    def declare(self, text: str) -> None:
        """Write the declaration."""
        (self.folder / "config.yml").write_text(text)

    def command(self, *arguments: str, start: str = START) -> list[str]:
        """The command line of a run."""
        paths = ["--declaration", str(self.folder / "config.yml"), "--root", str(self.root)]
        return [sys.executable, "-I", "-c", start, *arguments, *paths, "--deadline", str(self.deadline)]

    def run(self, *arguments: str, start: str = START) -> Ended:
        """Run it to its end."""
        command = self.command(*arguments, start=start)
        ended = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True, check=False)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def variables(self) -> str:
        """The EnvironmentFile."""
        return (self.root / "current" / "config.env").read_text()

    def files(self) -> dict[str, bytes]:
        """The files."""
        return {path.name: path.read_bytes() for path in (self.root / "current" / "files").iterdir()}
