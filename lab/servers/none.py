# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances without machines, for checks that ask the API alone."""

from __future__ import annotations

from lab.servers.interface import LaunchSpec


class NoServers:
    """Keeps the books of what would run; an instance's address answers nothing."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    def launch(self, spec: LaunchSpec) -> None:
        self._running.add(spec.instance_id)

    def stop(self, instance_id: str) -> None:
        self._running.discard(instance_id)

    def start(self, instance_id: str) -> None:
        self._running.add(instance_id)

    def terminate(self, instance_id: str) -> None:
        self._running.discard(instance_id)

    def snapshot(self, instance_id: str, image_id: str) -> None:
        """Nothing to keep: there is no disk."""

    def remove_image(self, image_id: str) -> None:
        """Nothing to remove."""

    def copy_image(self, source_image_id: str, image_id: str) -> None:
        """Nothing to copy."""

    def has_image(self, image_id: str) -> bool:
        """The newest distribution's, as where nothing else was made."""
        return image_id == "debian-13"

    def running(self) -> set[str]:
        return set(self._running)

    def console_output(self, instance_id: str) -> str:
        return ""

    def journal(self, instance_id: str) -> str:
        return ""

    def close(self) -> None:
        self._running.clear()
