# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that ``defaults/main.yml`` and ``meta/argument_specs.yml`` of each role say the same.

Usage: ``python dev/check_roles.py [ROLES_DIR]``. Prints a line for each disagreement; exit status 1 if there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def main() -> int:
    roles = Path(sys.argv[1] if len(sys.argv) > 1 else "roles")
    problems = [problem for role in sorted(roles.iterdir()) if role.is_dir() for problem in check_role(role)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def check_role(role: Path) -> Iterator[str]:
    """Disagreements in one role's folder, each with the file where it is to be mended."""
    specs_file, defaults_file = role / "meta" / "argument_specs.yml", role / "defaults" / "main.yml"
    if not specs_file.exists():
        yield f"{specs_file}: missing; it says what the role takes"
        return
    specs = _read(specs_file).get("argument_specs", {})
    options = {name: option for entry in specs.values() for name, option in entry.get("options", {}).items()}
    defaults = _read(defaults_file) if defaults_file.exists() else {}

    for name in sorted(options.keys() | defaults.keys()):
        if not name.startswith(f"{role.name}_"):
            where = specs_file if name in options else defaults_file
            yield f"{where}: {name} must begin with the role's name, {role.name}_"
    for name in sorted(defaults.keys() - options.keys()):
        yield f"{specs_file}: {name} is missing, and has a default in {defaults_file}"
    for name, option in sorted(options.items()):
        yield from _check_option(name, option, defaults, specs_file, defaults_file)


def _check_option(
    name: str, option: dict[str, Any], defaults: dict[str, Any], specs_file: Path, defaults_file: Path
) -> Iterator[str]:
    if option.get("required"):
        if name in defaults:
            yield f"{defaults_file}: {name} is required by {specs_file}, so it can have no default"
    elif "default" in option and name not in defaults:
        yield f"{defaults_file}: {name} is missing, its default in {specs_file} is {option['default']!r}"
    elif "default" not in option and name in defaults and not _computed(defaults[name]):
        yield f"{specs_file}: {name} has no default, {defaults_file} says {defaults[name]!r}"
    elif name in defaults and not _computed(defaults[name]) and option["default"] != defaults[name]:
        yield f"{specs_file}: the default of {name} is {option['default']!r}, {defaults_file} says {defaults[name]!r}"


def _computed(value: Any) -> bool:
    """Whether the value is known only when the role runs; then the specs describe it in words."""
    return isinstance(value, str) and "{{" in value


def _read(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
