# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checkov may skip in a template is explained there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

TEMPLATES = [
    file
    for file in sorted((Path(__file__).parents[3] / "roles").glob("*/files/*.yml"))
    if file.read_text(encoding="utf-8").find("AWSTemplateFormatVersion") >= 0
]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_every_finding_that_is_suppressed_is_explained(file: Path) -> None:
    resources = yaml.safe_load(file.read_text(encoding="utf-8"))["Resources"]
    skips = [
        (name, skip)
        for name, resource in resources.items()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert [(name, skip) for name, skip in skips if len(skip.get("comment", "")) < 20] == []


def test_all_templates_are_looked_at() -> None:
    assert {file.name for file in TEMPLATES} >= {"edge.yml", "colour.yml", "pipeline.yml"}
