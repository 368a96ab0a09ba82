# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the Vault server of this folder once, and runs it; `python -m tests.vault.server` only builds it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent
CHECKOUT = SOURCES.parents[1]
GO_PLACES = ("/usr/local/go/bin", "/usr/lib/go/bin")


class CannotBuild(Exception):
    """There is no Go toolchain; the text says what to do."""


@dataclass(frozen=True)
class Vault:
    """A Vault that runs, and its root token."""

    address: str
    token: str
    key: str

    def call(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call its API as root; raises urllib.error.HTTPError where it refuses."""
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"X-Vault-Token": self.token},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return found

    def policy(self, name: str, *paths: str) -> None:
        """A policy that lets these paths be read."""
        rules = "\n".join(f'path "{path}" {{ capabilities = ["read"] }}' for path in paths)
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})


def build() -> Path:
    """The program; it is built where it is not there yet, which takes minutes once.

    It lies in build/vault, under the hash of its sources. What Go downloaded and compiled stays in Go's own caches.

    Raises:
        CannotBuild: there is no Go toolchain.
    """
    names = ("go.mod", "go.sum", "main.go")
    wanted = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in names)).hexdigest()[:16]
    program = CHECKOUT / "build" / "vault" / wanted / "vault"
    if program.exists():
        return program
    go = shutil.which("go", path=os.pathsep.join((os.environ.get("PATH", ""), *GO_PLACES)))
    if go is None:
        raise CannotBuild("no Go toolchain is here to build tests/vault with: install Go 1.21 or newer")
    # Where Go is older than go.mod asks for, it gets itself the toolchain that it needs.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto"}
    program.parent.mkdir(parents=True, exist_ok=True)
    # One who comes while it is being built waits, and finds it built.
    with (program.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(go, program, environment)
    return program


def _build(go: str, program: Path, environment: Mapping[str, str]) -> None:
    new = program.with_suffix(".new")
    command = ["nice", "-n", "10", go, "build", "-p", "1", "-trimpath", "-ldflags", "-s -w", "-o", str(new), "."]
    built = subprocess.run(command, cwd=SOURCES, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"tests/vault does not build: {built.stderr[-2000:]}"
    new.replace(program)


@contextmanager
def running() -> Iterator[Vault]:
    """A Vault on a free port of loopback, unsealed and empty.

    Raises:
        CannotBuild: there is no Go toolchain.
    """
    with subprocess.Popen([build()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield Vault(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


if __name__ == "__main__":
    try:
        print(build())
    except CannotBuild as error:
        sys.exit(str(error))
