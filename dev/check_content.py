# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for what must never be committed, and for source files without the licence header.

Usage: ``python dev/check_content.py FILE…``. Prints a line for each find; exit status 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

FORBIDDEN = {
    # Where packages come from is a setting of the machine: a mirror must be enough.
    "the host name of a package registry": re.compile(
        r"\b(?:pypi|rubygems|crates|npmjs|pythonhosted)\.(?:org|io|com)\b"
        r"|\b(?:deb|security|ftp|snapshot)\.debian\.org\b"
        r"|\bproxy\.golang\.org\b|\b(?:docker|ghcr|quay)\.io\b"
    ),
    # Made-up ones, those of AWS's documentation, and the public one of Debian's images are nobody's secret.
    "an AWS account id": re.compile(
        r"(?<![\w.-])(?!123456789012|210987654321|(\d)\1{11}|111122223333)\d{12}(?![\w.-])"
    ),
    "an AWS access key": re.compile(r"(?<![A-Z0-9])A[KS]IA(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}(?![A-Z0-9])"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n[A-Za-z0-9+/]{40}"),
    "the path of this checkout": re.compile(re.escape(str(Path.cwd())) + r"\b"),
    "an unfinished mark": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
}
# Written by tools, full of digits and hashes.
NOT_SEARCHED = re.compile(r"(^|/)(COPYING|Gemfile\.lock|requirements/\w+\.txt)$|\.(png|svg|ico|gif|woff2?)$")
HEADER = "SPDX-License-Identifier: GPL-3.0-or-later"
SOURCES = re.compile(r"\.(py|sh)$|^Makefile$|^dev/[a-z-]+$|^\.ci/")


def main() -> int:
    finds = [find for name in sys.argv[1:] for find in check_file(Path(name))]
    for find in finds:
        print(find)
    return 1 if finds else 0


def check_file(file: Path) -> Iterator[str]:
    """A line for each forbidden thing in the file; links, binary files and tools' own files are passed over."""
    if file.is_symlink() or not file.is_file() or NOT_SEARCHED.search(str(file)):
        return
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for what, pattern in FORBIDDEN.items():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{file}:{line}: {what}: {match[0][:60]!r}"
    if text and SOURCES.search(str(file)) and HEADER not in text[:600]:
        yield f"{file}:1: the licence header is missing"


if __name__ == "__main__":
    sys.exit(main())
