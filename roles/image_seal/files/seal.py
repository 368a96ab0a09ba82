# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seals a server's file system for an image: refuses secrets, removes what is the builder's, looks again.

All of it is one program, because nobody can log in once the keys are gone. It takes its orders as JSON on standard
input (so that no secret is in the process list) and runs on the server's own Python, 3.10 or newer.
"""

from __future__ import annotations

import glob
import json
import mmap
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

#: File systems that are not on a disk, so not in an image; see proc(5), /proc/filesystems.
VIRTUAL = re.compile(
    r"autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fuse\.lxcfs|fusectl|hugetlbfs|mqueue|nsfs"
    r"|proc|pstore|ramfs|securityfs|sysfs|tmpfs|tracefs"
)
#: What packages of the distribution bring is public: only given values are looked for there.
DISTRIBUTION = ("/usr/", "/boot/", "/var/lib/dpkg/", "/var/lib/apt/")
LOCAL = "/usr/local/"
PRIVATE_KEY = rb"(?m)^-----BEGIN ((RSA|EC|DSA|OPENSSH|ENCRYPTED) )?PRIVATE KEY-----\r?\n"
#: An assignment as shells, unit files, environment files, YAML and JSON write it, of a value that refers to nothing.
ASSIGNMENT = (
    r"""(?m)^[ \t]*(?:export[ \t]+|Environment=)?["']?(?:%s)["']?"""
    r"""[ \t]*[=:][ \t]*["']?[^\s"'{$<%%#&*|>-][^\s"']{3}"""
)


@dataclass(frozen=True)
class Orders:
    """What to do. Paths in patterns are those of the server; ``root`` stands before them (for tests)."""

    remove: list[str]
    empty: list[str]
    outdate: list[str]
    keep: list[str]
    secret_values: list[str] = field(repr=False)
    secret_names: list[str]
    secret_patterns: list[str]
    secret_files: list[str]
    allowed_files: list[str]
    dry_run: bool
    root: str = ""


class Seal:
    """One run over the file system below ``orders.root``."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._values = [value.encode() for value in orders.secret_values]
        self._allowed = _any_of(orders.allowed_files)
        self._secret_file = _any_of(orders.secret_files)
        rules = [("private key", b"PRIVATE KEY", PRIVATE_KEY)]
        rules += [
            (f"value for {name}", name.encode(), (ASSIGNMENT % re.escape(name)).encode())
            for name in orders.secret_names
        ]
        rules += [(f"match of {pattern}", b"", pattern.encode()) for pattern in orders.secret_patterns]
        # Most files don't have the words that a rule is about, and looking for words takes a fraction of the time.
        self._rules = [(name, words, re.compile(rule)) for name, words, rule in rules]

    def leftovers(self) -> list[str]:
        """Paths that have to go (each without what lies below it), to be empty or to look old, and are not yet so."""
        return sorted(self._removable() | self._fillings() | self._fresh())

    def secrets(self) -> list[str]:
        """One line for each secret that would stay: the path and the rule, never the secret."""
        gone = self._removable() | self._fillings()
        return [f"{path}: {reason}" for path in self._files(gone) for reason in self._judge(path)]

    def clean(self) -> None:
        """Remove and empty, then write everything to disk: the snapshot may come at once."""
        for path in self._removable():
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for path in self._fillings():
            os.truncate(path, 0)
        for path in self._fresh():
            os.utime(path, (0, 0))
        os.sync()

    def _removable(self) -> set[str]:
        return self._matches(self._orders.remove)

    def _fillings(self) -> set[str]:
        found = self._matches(self._orders.empty) - self._removable()
        return {path for path in found if os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path)}

    def _fresh(self) -> set[str]:
        return {path for path in self._matches(self._orders.outdate) if os.path.getmtime(path) != 0}

    def _matches(self, patterns: list[str]) -> set[str]:
        kept = _any_of([self._orders.root + pattern for pattern in self._orders.keep])
        found = (path for pattern in patterns for path in glob.glob(self._orders.root + pattern, recursive=True))
        return {path for path in found if not kept.match(path)}

    def _files(self, gone: set[str]) -> Iterator[str]:
        """Every regular file on a disk but those that go."""
        virtual = {self._orders.root + point for point in _virtual_mounts()}
        for folder, folders, files in os.walk(self._orders.root or "/"):
            paths = [os.path.join(folder, name) for name in folders]
            folders[:] = [os.path.basename(path) for path in paths if path not in virtual and path not in gone]
            for path in (os.path.join(folder, name) for name in files):
                if path not in gone and path not in virtual and os.path.isfile(path) and not os.path.islink(path):
                    yield path

    def _judge(self, path: str) -> Iterator[str]:
        size = os.path.getsize(path)
        here = path.removeprefix(self._orders.root)
        distribution = here.startswith(DISTRIBUTION) and not here.startswith(LOCAL)
        by_rules = not distribution and not self._allowed.match(here)
        if not size or not (by_rules or self._values):
            return
        with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if any(content.find(value) >= 0 for value in self._values):
                yield "one of the secret values"
            if by_rules:
                if self._secret_file.match(here):
                    yield "a file that holds secrets"
                yield from (
                    name for name, words, rule in self._rules if content.find(words) >= 0 and rule.search(content)
                )


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    # Without a pattern it matches nothing.
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")


def _virtual_mounts() -> set[str]:
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return {fields[1].replace("\\040", " ") for fields in lines if VIRTUAL.fullmatch(fields[2])}


def main() -> None:
    """Prints what was (or in a dry run: would be) changed, what is secret and what is left, as JSON."""
    orders = Orders(**json.load(sys.stdin))
    seal = Seal(orders)
    secrets, changed, left = seal.secrets(), seal.leftovers(), list[str]()
    if not secrets and not orders.dry_run:
        seal.clean()
        left = seal.leftovers()
    json.dump({"secrets": secrets, "changed": changed, "left": left}, sys.stdout)


if __name__ == "__main__":
    main()
