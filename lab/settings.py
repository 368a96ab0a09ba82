# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, names and folders of the lab, in one place.

``LAB_OCTET`` (default 78) makes a second, separate lab on the same machine: it changes the network
(10.<octet>.0.0/16), the load balancers' addresses (127.<octet>.0.N), the API's port (4566 + octet - 78), the names
of containers and images, and the run-time folder. The tests of ``up`` and ``down`` use it, so that they never touch
a lab that someone works with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_OCTET = 78


class LabError(Exception):
    """Something a person can mend. The message is one line: what failed, where, why, what to do."""


@dataclass(frozen=True)
class Settings:
    """Where one lab lives. Every value follows from ``octet``; see the module."""

    octet: int = DEFAULT_OCTET

    @property
    def name(self) -> str:
        """Name of the podman network, prefix of all containers and value of their label."""
        return "immutable-lab" if self.octet == DEFAULT_OCTET else f"immutable-lab-{self.octet}"

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(f"10.{self.octet}.0.0/16")

    @property
    def gateway(self) -> str:
        """The host's own address on the lab's network: servers reach the API and the metadata service here."""
        return f"10.{self.octet}.0.1"

    @property
    def stores_address(self) -> str:
        return f"10.{self.octet}.0.2"

    @property
    def load_balancer_prefix(self) -> str:
        """First three octets of the loopback addresses that load balancers listen on."""
        return f"127.{self.octet}.0"

    @property
    def api_port(self) -> int:
        return 4566 + self.octet - DEFAULT_OCTET

    @property
    def metadata_port(self) -> int:
        return 1338

    @property
    def api_url(self) -> str:
        """The API as the host sees it."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def api_url_for_servers(self) -> str:
        return f"http://{self.gateway}:{self.api_port}"

    @property
    def metadata_url(self) -> str:
        return f"http://{self.gateway}:{self.metadata_port}"

    @property
    def run_dir(self) -> Path:
        """Folder of all run-time files (pid files, logs, configuration)."""
        return CHECKOUT / "build" / self.name.replace("immutable-", "")

    @property
    def image_prefix(self) -> str:
        """Repository of the images of this lab's AMIs in podman's storage."""
        return f"localhost/{self.name}"


REGION = "eu-west-1"
LOGIN_USER = "admin"
ACCESS_KEY = "lab"
# Not a word that messages hold: Ansible blots out every secret key it was given.
SECRET_KEY = "any-key-opens-the-lab"
#: Podman images that every lab on the machine shares; they are kept by ``down``, so that the next start is quick.
BASE_IMAGE = "localhost/immutable-lab/debian-13"
OLDER_BASE_IMAGE = "localhost/immutable-lab/debian-12"
STORES_IMAGE = "localhost/immutable-lab/stores"


def from_environment() -> Settings:
    """Settings of the lab that ``LAB_OCTET`` names. Raises LabError for a value that is no octet."""
    text = os.environ.get("LAB_OCTET", str(DEFAULT_OCTET))
    if not text.isdecimal() or not 1 <= int(text) <= 254:
        raise LabError(f"LAB_OCTET is {text!r}: it must be a number from 1 to 254")
    return Settings(int(text))
