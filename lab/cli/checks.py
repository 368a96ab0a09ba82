# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be so before the lab starts. Each refusal is one line with what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lab.settings import LabError, Settings

#: Images of two stages of a few releases, each some hundred megabytes above the base.
FREE_GIGABYTES = 4.0
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 1024
_TOOLS = {"podman": "podman", "mmdebstrap": "mmdebstrap", "haproxy": "haproxy", "ip": "iproute2"}
#: How the ids of real access keys start, see AWS's list of IAM identifier prefixes.
_REAL_KEYS = ("AKIA", "ASIA")


def root() -> None:
    """Containers with systemd and addresses of their own need root."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root for its network and servers: run it with sudo")


def aws_environment(settings: Settings, environment: Mapping[str, str]) -> None:
    """Refuse a shell whose commands would go to AWS itself, or to another emulator, instead of to the lab."""
    endpoints = {name: value for name, value in environment.items() if name.startswith("AWS_ENDPOINT_URL") and value}
    for name, value in sorted(endpoints.items()):
        parts = urlsplit(value)
        if (parts.hostname, parts.port) not in (("127.0.0.1", settings.api_port), ("localhost", settings.api_port)):
            raise LabError(f'{name} is {value}, which is not this lab: unset it, or run eval "$(python -m lab env)"')
    key = environment.get("AWS_ACCESS_KEY_ID", "")
    if key.startswith(_REAL_KEYS) and "AWS_ENDPOINT_URL" not in endpoints:
        raise LabError(
            "AWS_ACCESS_KEY_ID looks like a real account's and AWS_ENDPOINT_URL is not set, so that commands in this "
            'shell would go to AWS: run eval "$(python -m lab env)" first'
        )


def tools() -> None:
    """The programs that the lab runs."""
    # Debian keeps some of them where only root's PATH looks.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted(package for tool, package in _TOOLS.items() if not shutil.which(tool, path=path))
    if missing:
        raise LabError(f"{', '.join(missing)} missing: run make setup, or apt-get install {' '.join(missing)}")


def port_free(port: int) -> None:
    """The API's port must be free on the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabError(
                f"port {port} on 127.0.0.1 is in use{_holder(port)} and the lab's API needs it: stop what listens there"
            ) from error


def disk(folder: Path, gigabytes: float = FREE_GIGABYTES) -> None:
    """Room for images where podman keeps them."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise LabError(
            f"{folder} has {free:.1f} GB left and the lab's images need {gigabytes:.1f}: free some (podman image prune)"
        )


def watches(limit: Path = INOTIFY, needed: int = INOTIFY_INSTANCES) -> None:
    """Room for systemd's inotify instances: a server uses about 8, and all of root's containers share one limit.

    The limit is raised until the next boot, since a server that meets it never boots.
    """
    allowed = int(limit.read_text())
    if allowed >= needed:
        return
    try:
        limit.write_text(str(needed))
    except OSError as error:
        raise LabError(
            f"fs.inotify.max_user_instances is {allowed} and the lab's servers need {needed}: "
            f"run sysctl fs.inotify.max_user_instances={needed} ({error.strerror})"
        ) from error
    print(f"lab: raised fs.inotify.max_user_instances from {allowed} to {needed}, until the next boot")


def _holder(port: int) -> str:
    """The program that listens on a port, as far as the kernel tells us."""
    listed = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=False).stdout
    _, found, users = listed.partition('users:(("')
    program, _, rest = users.partition('",pid=')
    return f" by {program} (pid {rest.partition(',')[0]})" if found else ""
