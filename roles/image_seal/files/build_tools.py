# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes the packages that were needed to build alone, and keeps the libraries that what was built links to.

``build_tools.py --remove`` or ``--dry-run``, as root; prints ``{"removed": […], "left": […], "broken": […]}``. Runs on
the server's own Python, 3.10 or newer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: What the roles ruby and app_bundle have noted, a package a line.
NOTES = Path("/var/lib/immutable/build-packages")
#: Where things lie that were built on the server.
BUILT = ("/usr/local", "/opt", "/srv/app", "/var/lib/gems")
LIBRARY = re.compile(r"=> (/\S+)")
MISSING = re.compile(r"(\S+) => not found")


def main() -> None:
    """Remove, look again, print."""
    noted = [line for line in NOTES.read_text().split("\n") if line and line[0] != "#"] if NOTES.exists() else []
    present = _installed(noted)
    removed, left = list[str](), list[str]()
    if present:
        linked = {path: _ldd(path) for path in _built()}
        if "--dry-run" in sys.argv:
            removed = present
        else:
            _keep(libraries for libraries, _missing in linked.values())
            removed, left = present, _remove(present)
    broken = [f"{path}: {', '.join(missing)}" for path in _built() if (missing := _ldd(path)[1])] if removed else []
    json.dump({"removed": removed, "left": left, "broken": broken}, sys.stdout)


def _installed(packages: list[str]) -> list[str]:
    if not packages:
        return []
    shown = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n", *packages],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    return sorted({line.split()[1] for line in shown.splitlines() if line.startswith("installed ")})


def _built() -> Iterator[str]:
    """Programs and libraries that no package of the distribution brought."""
    for top in BUILT:
        for folder, _folders, files in os.walk(top):
            for path in (os.path.join(folder, name) for name in files):
                if os.path.isfile(path) and not os.path.islink(path) and _is_elf(path):
                    yield path


def _is_elf(path: str) -> bool:
    with open(path, "rb") as stream:
        head = stream.read(18)
    # Programs and shared libraries, not what only the linker reads; see elf(5), e_type.
    return head[:4] == b"\x7fELF" and head[16] in (2, 3)


def _ldd(path: str) -> tuple[set[str], list[str]]:
    """The libraries that a file links to, and those that are not there."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return set(LIBRARY.findall(said)), MISSING.findall(said)


def _keep(found: Iterator[set[str]]) -> None:
    libraries = sorted({os.path.realpath(path) for paths in found for path in paths})
    # dpkg knows a file by the name that the package gave it, and /lib may be a link to /usr/lib.
    names = sorted({name for path in libraries for name in (path, path.removeprefix("/usr"))})
    if names:
        shown = subprocess.run(["dpkg-query", "--search", *names], capture_output=True, text=True, check=False).stdout
        packages = sorted({line.split(": ", 1)[0].split(", ")[0] for line in shown.splitlines() if ": " in line})
        packages = [package for package in packages if not package.startswith("diversion by ")]
        _run("apt-mark", "manual", *packages)


def _remove(packages: list[str]) -> list[str]:
    """Remove them with what came with them; returns those that something else needs."""
    _run("apt-mark", "auto", *packages)
    # What is merely recommended or suggested by something that stays goes too.
    unneeded = [f"--option=APT::AutoRemove::{kind}Important=false" for kind in ("Recommends", "Suggests")]
    quick = "--option=Dpkg::Options::=--force-unsafe-io"
    _run("apt-get", "--quiet", "--yes", quick, *unneeded, "autoremove", "--purge")
    left = _installed(packages)
    if not left:
        NOTES.unlink()
    return left


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or [f"exit code {done.returncode}"]
        sys.exit(f"{' '.join(command[:2])}: {last[0]}")


if __name__ == "__main__":
    main()
