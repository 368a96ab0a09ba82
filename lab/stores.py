# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL and Redis in one container: what RDS and ElastiCache are on AWS, one for all environments."""

from __future__ import annotations

import re
import secrets
import socket
import time

from lab.podman import Podman
from lab.servers.errors import ServersError
from lab.settings import STORES_IMAGE, LabError, Settings

_POSTGRES_PORT = 5432
_REDIS_PORT = 6379
#: Number of Redis databases, as in the image's configuration.
_REDIS_DATABASES = 64
_BOOT_SECONDS = 60
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Stores:
    """The stores' container. The lab's network and the stores' image must exist."""

    def __init__(self, podman: Podman, settings: Settings) -> None:
        self._podman = podman
        self._settings = settings
        self._container = f"{settings.name}-stores"

    def start(self) -> bool:
        """Start the container unless it runs, and wait until both stores answer. Returns whether it was started.

        Raises ServersError where podman fails, LabError where a store doesn't answer in time.
        """
        running = self.running()
        if not running and self._podman.exists("container", self._container):
            self._podman.run("start", self._container)
        elif not running:
            self._podman.run(
                "run", "--detach", "--name", self._container, "--hostname", "stores",
                "--network", self._settings.name, "--ip", self._settings.stores_address,
                "--label", self._podman.ownership, "--label", "immutable-lab.part=stores",
                "--cap-add", "SYS_ADMIN", "--systemd", "always", "--pull", "never", STORES_IMAGE, "/sbin/init",
            )  # fmt: skip
        deadline = time.monotonic() + _BOOT_SECONDS
        while not self.ready():
            if time.monotonic() > deadline:
                raise LabError(
                    f"the stores did not answer within {_BOOT_SECONDS} s: "
                    f"look at podman exec {self._container} journalctl --boot"
                )
            time.sleep(0.1)
        return not running

    def running(self) -> bool:
        """Whether the container runs."""
        return self._container in self._podman.containers(everything=False)

    def ready(self) -> bool:
        """Whether PostgreSQL takes connections and Redis answers a ping."""
        address = self._settings.stores_address
        try:
            with socket.create_connection((address, _REDIS_PORT), timeout=2) as redis:
                redis.sendall(b"PING\r\n")
                if not redis.recv(16).startswith(b"+PONG"):
                    return False
        except OSError:
            return False
        checked = self._podman.attempt("exec", self._container, "pg_isready", "--quiet", "--host", address)
        return checked.returncode == 0

    def create_database(self, name: str) -> str:
        """Make a database with an owner of the same name and a random password, and return its URL.

        Where the database exists it is kept, and its owner gets a new password. Raises ValueError for a name that is
        not made of a-z, 0-9 and _, ServersError where PostgreSQL refuses.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a database: a-z, 0-9 and _, a letter first, at most 63")
        password = secrets.token_urlsafe(24)
        # On standard input, so that the password is in no process list.
        self._sql(
            f"SELECT 'CREATE ROLE {name} LOGIN'"
            f" WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n"
            f"ALTER ROLE {name} PASSWORD '{password}';\n"
            f"SELECT 'CREATE DATABASE {name} OWNER {name}'"
            f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec\n"
        )
        return f"postgresql://{name}:{password}@{self._settings.stores_address}:{_POSTGRES_PORT}/{name}"

    def redis_url(self, database: int) -> str:
        """URL of one of Redis's numbered databases. Raises ValueError where there is none of that number."""
        if not 0 <= database < _REDIS_DATABASES:
            raise ValueError(f"Redis has databases 0 to {_REDIS_DATABASES - 1}, not {database}")
        return f"redis://{self._settings.stores_address}:{_REDIS_PORT}/{database}"

    def _sql(self, statements: str) -> None:
        command = ["runuser", "--user", "postgres", "--", "psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
        result = self._podman.attempt("exec", "--interactive", self._container, *command, data=statements.encode())
        if result.returncode:
            # psql repeats the statement that failed, and with it the password: only its first line is shown.
            said = result.stderr.decode(errors="replace").strip().splitlines()[:1] or [f"exit code {result.returncode}"]
            raise ServersError(f"PostgreSQL in {self._container} refused: {said[0]}")
