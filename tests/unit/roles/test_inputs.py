# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an image counts for the hash of its inputs."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

COLLECTION = Path(__file__).resolve().parents[3]
PLAY = yaml.safe_load((COLLECTION / "playbooks" / "image.yml").read_text())[0]
ROLES = {part["role"] for stage in PLAY["vars"]["image_parts"].values() for part in stage} | {
    "image_sbom",
    "image_seal",
}


def test_each_module_that_a_role_of_the_image_takes_is_hashed() -> None:
    tasks = [file.read_text() for role in ROLES for file in (COLLECTION / "roles" / role / "tasks").glob("*.yml")]
    taken = {name for text in tasks for name in re.findall(r"(?m)^ +immutable\.ec2\.(\w+):", text)}
    assert "files" in taken
    hashed = (COLLECTION / "playbooks" / "tasks" / "bake_unchanged.yml").read_text()
    needed = {f"/plugins/modules/{name}.py" for name in taken}
    needed |= {f"/plugins/action/{name}.py" for name in taken if (COLLECTION / f"plugins/action/{name}.py").exists()}
    assert {path for path in needed if path not in hashed} == set()
