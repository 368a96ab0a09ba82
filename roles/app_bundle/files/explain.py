# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says in one line why Bundler or a rake task failed, and what to do.

Reads ``{"said": <output>, "secrets": [<values that may not be shown>]}`` as JSON from standard input. Runs on the
controller.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

TABLES = yaml.safe_load(Path(__file__).with_name("causes.yml").read_text(encoding="utf-8"))
GEM = re.compile(r"An error occurred while installing ([\w.-]+) \(([^)]+)\)")


def explain(said: str) -> str:
    """Return the cause in one line, with what to do where it is known."""
    if "No space left on device" not in said and (gem := GEM.search(said)) and "extension" in said:
        return _native(said, *gem.groups())
    for cause in TABLES["causes"]:
        if found := re.search(cause["said"], said):
            groups = [group or "" for group in found.groups()]
            return f"{cause['means'].format(*groups)} ({_line(said, found.start())})"
    return _end(said)


def _native(said: str, gem: str, version: str) -> str:
    """Why a gem could not be compiled: what is missing, and the package that has it."""
    known = [name for pattern in TABLES["missing"] for name in re.findall(pattern, said, re.MULTILINE)]
    for name in known:
        if package := TABLES["packages"].get(name):
            what = f"gem {gem} {version} can't be compiled without {name}"
            return f"{what}: add the package {package} to app_bundle_build_packages"
    if headers := [name for name in known if name.endswith(".h")]:
        what = f"gem {gem} {version} can't be compiled without {headers[0]}"
        return f"{what}: find its package (apt-file search {headers[0]}) and add it to app_bundle_build_packages"
    return f"gem {gem} {version} can't be compiled; what it needs goes to app_bundle_build_packages: {_end(said)}"


def _line(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return " ".join(text[start:].split("\n", 1)[0].split())[:300]


def _end(said: str) -> str:
    """The line that names the error, else the last ones."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    named = [line for line in lines if re.search(r"Error\b|error:", line)]
    return " | ".join(named[:2] or lines[-3:])[:600] or "it said nothing"


def hidden(text: str, secrets: Sequence[str]) -> str:
    """Return the text without the secrets, and without the parts of ``user:password``."""
    parts = {part for secret in secrets for part in (secret, *secret.split(":", 1)[1:]) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def main() -> None:
    """Print the cause."""
    given = json.load(sys.stdin)
    print(hidden(explain(given["said"]), given["secrets"]))


if __name__ == "__main__":
    main()
