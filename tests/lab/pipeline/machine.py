# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean machine as CodeBuild would give it: a container with a bare Debian 12, nothing of this checkout in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.podman import Podman
from lab.rootfs import archive

IMAGE = "localhost/immutable-lab-test/debian-12:bare"
SUITE = "bookworm"
SOURCE = "/codebuild/src"
CACHE = "/root/.cache/pip"
#: Whom this machine trusts, the clean one trusts too: its packages may come through a proxy of its own.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
TRUST = "/codebuild/trust.crt"


class Machine:
    """The container. Commands run as root in the source's folder, which is a folder of this machine too."""

    def __init__(self, podman: Podman, name: str) -> None:
        self._podman, self._name = podman, name

    def run(self, command: str, variables: Mapping[str, str]) -> tuple[int, str]:
        """One command by `sh`; its exit status and what it printed."""
        given = [f"--env={name}={value}" for name, value in variables.items()]
        done = self._podman.attempt(
            "exec", "--workdir", SOURCE, *given, self._name, "/bin/sh", "-c", f"{{ {command}\n}} 2>&1"
        )
        return done.returncode, done.stdout.decode(errors="replace")


def ensure_image(podman: Podman, folder: Path) -> None:
    """Makes the bare Debian, unless it is there."""
    if podman.exists("image", IMAGE):
        return
    tarball = folder / "debian-12.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", SUITE, str(tarball), *archive.sources(SUITE)]
    subprocess.run(command, check=True)
    podman.run("import", "--quiet", str(tarball), IMAGE)
    tarball.unlink()


@contextmanager
def machine(podman: Podman, name: str, source: Path, collection: Path, cache: Path) -> Iterator[Machine]:
    """A fresh one, with an app's source, the collection as a tarball, and the cache of the build before."""
    cache.mkdir(exist_ok=True)
    volumes = {source: SOURCE, collection: "/codebuild/collection.tar.gz", cache: CACHE, Path(CERTIFICATES): TRUST}
    podman.attempt("rm", "--force", "--time=0", name)
    podman.run(
        *("run", "--detach", "--name", name, "--network=host", f"--env=PIP_CERT={TRUST}"),
        *(f"--volume={here}:{there}" for here, there in volumes.items()),
        *(IMAGE, "sleep", "3600"),
    )
    try:
        yield Machine(podman, name)
    finally:
        podman.attempt("rm", "--force", "--time=0", name)
