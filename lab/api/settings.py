# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API's process is told when it starts."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from lab import settings as lab_settings
from lab.settings import REGION

ACCOUNT = "123456789012"
SERVER_KINDS = ("podman", "loopback", "none")
_SUBNETS = {f"{REGION}a": "{first}.{octet}.16.0/20", f"{REGION}b": "{first}.{octet}.32.0/20"}


@dataclass(frozen=True)
class Settings:
    """The API's settings.

    Attributes:
        lab: the addresses and names of this lab.
        clock_factor: every AWS timer is multiplied by it.
        servers: ``podman`` for real servers, ``loopback`` for a socket each (see ``lab.servers.loopback``),
            ``none`` for instances without machines.
        run_dir: folder of sockets, configuration and state.
    """

    lab: lab_settings.Settings
    clock_factor: float
    servers: str
    run_dir: Path

    def seconds(self, aws_seconds: float) -> float:
        """How long the lab takes for what AWS would take ``aws_seconds`` for."""
        return aws_seconds * self.clock_factor

    @property
    def network(self) -> IPv4Network:
        """The default VPC's range: servers that are sockets of this machine have addresses of this machine."""
        return IPv4Network(f"{self._first}.{self.lab.octet}.0.0/16")

    @property
    def _first(self) -> int:
        return 127 if self.servers == "loopback" else 10

    @property
    def subnets(self) -> dict[str, str]:
        """Address range of the default subnet by availability zone."""
        return {zone: template.format(first=self._first, octet=self.lab.octet) for zone, template in _SUBNETS.items()}


def from_arguments(arguments: list[str] | None = None) -> Settings:
    """Read the settings from the command line, with defaults from ``LAB_…`` variables.

    Raises:
        SystemExit: an argument is unknown or wrong; the message is on standard error.
        LabError: ``LAB_OCTET`` is no octet.
    """
    lab = lab_settings.from_environment()
    parser = argparse.ArgumentParser(prog="python -m lab.api", description="The lab's AWS API, on 127.0.0.1.")
    parser.add_argument("--clock-factor", type=_factor, default=os.environ.get("LAB_CLOCK_FACTOR", "0.1"))
    parser.add_argument("--servers", choices=SERVER_KINDS, default="podman")
    parser.add_argument("--run-dir", type=Path, default=lab.run_dir)
    read = parser.parse_args(arguments)
    return Settings(lab=lab, clock_factor=read.clock_factor, servers=read.servers, run_dir=read.run_dir.resolve())


def _factor(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: a clock factor is above 0 and at most 1")
    return value
