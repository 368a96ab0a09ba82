# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks look at: a server that was booted from an image, and the image's own file system."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from testinfra.host import Host

BASE, APP = "base", "app"


@dataclass(frozen=True)
class Server:
    """A running server and the stage of the image that it was booted from."""

    stage: str
    host: Host

    def settings(self, path: str) -> dict[str, str]:
        """A file of NAME=value lines."""
        lines = self.host.file(path).content_string.splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True)
class Image:
    """The file system of an image.

    Attributes:
        root: where it is mounted.
        secrets: values of the environments' configuration, none of which may be in it.
    """

    root: Path
    secrets: list[bytes] = field(repr=False)

    def found(self, *patterns: str) -> list[str]:
        """Paths in the image that match one of the patterns (relative, as a shell's)."""
        return sorted(str(path.relative_to(self.root)) for pattern in patterns for path in self.root.glob(pattern))

    def files_with_secrets(self) -> list[str]:
        """Every file that holds one of the secrets, in whole."""
        files = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return [str(path.relative_to(self.root)) for path in files if _holds(path.read_bytes(), self.secrets)]


def _holds(content: bytes, secrets: list[bytes]) -> bool:
    return any(secret in content for secret in secrets)
