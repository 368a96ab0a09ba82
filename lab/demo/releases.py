# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two releases of the example app, each in a folder with a git revision of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.settings import CHECKOUT

SHOP = CHECKOUT / "examples" / "shop"
ACCENT = "#1d4ed8"
ACCENTS = {1: ACCENT, 2: "#b45309"}
"""Each release has a stylesheet of its own, under a digested name that the other doesn't know."""
NOTES = {1: "The first release.", 2: "The second release: baked while the first one served."}


@dataclass(frozen=True, slots=True)
class Source:
    """A release's source: its folder and its git revision."""

    folder: Path
    revision: str

    def release(self) -> str:
        """A new bake id for this source, from the time of now."""
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{self.revision[:7]}"


def copy(number: int, parent: Path) -> Path:
    """Copy the example app; RELEASE_NOTE, which every page shows, says which release it is, and so does its colour."""
    folder = parent / f"release-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("tmp", "log", ".bundle", "storage", "Gemfile.lock"))
    (folder / "RELEASE_NOTE").write_text(f"{NOTES[number]}\n", encoding="utf-8")
    theme = folder / "app" / "assets" / "stylesheets" / "theme.css"
    theme.write_text(theme.read_text(encoding="utf-8").replace(ACCENT, ACCENTS[number]), encoding="utf-8")
    return folder


def commit(number: int, folder: Path, lock: bytes) -> Source:
    """Give a copy its Gemfile.lock and make it the one commit of a repository of its own."""
    (folder / "Gemfile.lock").write_bytes(lock)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all", "--force")
    _git(folder, "commit", "--quiet", "--message", NOTES[number])
    return Source(folder, _git(folder, "rev-parse", "HEAD"))


def _git(folder: Path, *arguments: str) -> str:
    # A fixed author and date: the same source has the same revision, whoever makes it.
    own = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
    environment = {**os.environ, **own, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


_IDENTITY = {"NAME": "shop", "EMAIL": "shop@example.org", "DATE": "2026-01-01T00:00:00Z"}


def fingerprint(paths: Iterable[Path], *facts: str) -> str:
    """A hash over the names and contents of files and folders, and over further facts."""
    digest = hashlib.sha256("\0".join(facts).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"\0{file.relative_to(CHECKOUT)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
