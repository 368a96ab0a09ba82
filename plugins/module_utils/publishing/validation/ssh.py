# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the server under test, over OpenSSH, which Ansible needs anyway."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

CONNECT_SECONDS: t.Final = 5
UNREACHED: t.Final = 255
"""ssh's own exit code. https://man.openbsd.org/ssh#EXIT_STATUS"""


@dataclass(frozen=True)
class Ssh:
    """A login on one server.

    Attributes:
        address: the server's.
        user: who may log in, and become root without a password.
        folder: holds the private key `key` and the socket that all connections share; nobody else may read it.
    """

    address: str
    user: str
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def options(self) -> list[str]:
        """What every connection needs: the server is new, so nobody can know its host key."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ControlMaster": "auto",
            "ControlPath": str(self.folder / "%C"),
            "ControlPersist": "60",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "ServerAliveInterval": "10",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]

    def run(self, command: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as root; one that takes too long ends with 124.

        Args:
            command: for /bin/sh.
            seconds: how long it may take.
        """
        login = [*self.options, "-i", str(self.key), f"{self.user}@{self.address}"]
        argv = ["ssh", "-F", "none", *login, "sudo", "sh", "-s"]
        try:
            return subprocess.run(
                argv,
                input=command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=max(1.0, seconds),
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(argv, 124, _text(late.stdout), _text(late.stderr))

    def close(self) -> None:
        """Ends the shared connection."""
        argv = ["ssh", "-F", "none", *self.options, "-O", "exit", f"{self.user}@{self.address}"]
        subprocess.run(argv, capture_output=True, check=False, timeout=CONNECT_SECONDS * 2)


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
