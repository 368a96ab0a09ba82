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
        folder: holds the private key `key`, and ssh's settings; nobody else may read it.
    """

    address: str
    user: str
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def config(self) -> Path:
        """ssh's settings, for everything that logs in: the server is new, so nobody can know its host key."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ControlMaster": "auto",
            "ControlPath": str(self.folder / "%C"),
            "ControlPersist": "60",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.key),
            "LogLevel": "ERROR",
            "ServerAliveInterval": "10",
            "StrictHostKeyChecking": "no",
            "User": self.user,
            "UserKnownHostsFile": "/dev/null",
        }
        file = self.folder / "config"
        file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
        return file

    def run(self, command: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as root; one that takes too long ends with 124.

        Args:
            command: for /bin/sh.
            seconds: how long it may take.
        """
        argv = ["ssh", "-F", str(self.config), self.address, "sudo", "sh", "-s"]
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
        argv = ["ssh", "-F", str(self.config), "-O", "exit", self.address]
        subprocess.run(argv, capture_output=True, check=False, timeout=CONNECT_SECONDS * 2)


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
