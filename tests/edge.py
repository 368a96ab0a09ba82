# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's template as the role gives it to CloudFormation, and the guard's code as a module, for tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parents[1] / "roles" / "environment" / "files"
GUARD = FILES / "guard.py"


def edge_template() -> dict[str, Any]:
    """The template, with the guard's code in its place."""
    template: dict[str, Any] = yaml.safe_load((FILES / "edge.yml").read_text(encoding="utf-8"))
    template["Resources"]["Guard"]["Properties"]["Code"] = {"ZipFile": GUARD.read_text(encoding="utf-8")}
    return template


def guard_code() -> Any:
    """The guard's module, as Lambda loads it: from its text alone."""
    spec = importlib.util.spec_from_file_location("guard_of_the_edge", GUARD)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
