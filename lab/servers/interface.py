# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulated API asks of the machines behind its instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class LaunchSpec:
    """One server to start.

    Attributes:
        instance_id: the instance's id, ``i-…``.
        image_id: the image it boots from, ``ami-…``.
        private_ip: the address it must have in the lab's network.
        public_key: the key pair's public key in OpenSSH's format, for the login user.
        user_data: what the instance's metadata will say; not run by the server itself.
        login_user: the user that the public key is for.
    """

    instance_id: str
    image_id: str
    private_ip: str
    public_key: str | None
    user_data: bytes | None
    login_user: str


class Servers(Protocol):
    """Machines by instance id.

    Every method may be called from any thread, for one instance never two at once. What can't be done raises
    ``lab.servers.errors.ServersError``.
    """

    def launch(self, spec: LaunchSpec) -> None:
        """Start a new server; returns when its PID 1 runs, not when it has booted."""

    def stop(self, instance_id: str) -> None:
        """Shut a server down; its disk stays."""

    def start(self, instance_id: str) -> None:
        """Boot a stopped server again, with its disk and its address."""

    def terminate(self, instance_id: str) -> None:
        """Remove a server and its disk; a server that is gone already is no error."""

    def snapshot(self, instance_id: str, image_id: str) -> None:
        """Make an image of a server's disk, running or stopped."""

    def remove_image(self, image_id: str) -> None:
        """Remove an image; servers made from it go on."""

    def copy_image(self, source_image_id: str, image_id: str) -> None:
        """Give an image's content a second id."""

    def has_image(self, image_id: str) -> bool:
        """Whether there is an image of this id; a distribution's may not have been made on this machine."""

    def running(self) -> set[str]:
        """The ids of the servers that run now, whoever started them."""

    def console_output(self, instance_id: str) -> str:
        """What the server wrote to its console since it was booted. Its journal is not part of that."""

    def journal(self, instance_id: str) -> str:
        """The last lines of a running server's journal; empty for one that doesn't run."""

    def close(self) -> None:
        """Remove every server; images stay."""
