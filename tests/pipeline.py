# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline's template as the role gives it to CloudFormation, the notifier's code as a module, and its messages."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[1]
FILES = CHECKOUT / "roles" / "pipeline" / "files"
NOTIFIER = FILES / "notifier.py"
RIGHTS = CHECKOUT / "roles" / "environment" / "files" / "permissions" / "bake.json"
COLOUR = CHECKOUT / "roles" / "deployment" / "files" / "colour.yml"
BUILDSPEC = CHECKOUT / "packer" / "buildspec.yml"
_PAGE = (CHECKOUT / "docs" / "reference" / "bake.md").read_text(encoding="utf-8")
#: A bake's result as the reference has it, and its schema.
EXAMPLE, SCHEMA = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", _PAGE, re.S))
FAILURE = {
    **EXAMPLE,
    "result": "failed",
    "message": "shop can't be baked: app/Gemfile.lock does not exist",
    "images": {},
    "validation": None,
    "packages": None,
    "failure": {"step": "Refuse a folder without Gemfile.lock", "lines": ["line 1", "run `bundle lock` in it"]},
}


def pipeline_template() -> dict[str, Any]:
    """The template, with the notifier's code, the buildspec and the rights of builds and servers in their places."""
    template: dict[str, Any] = yaml.safe_load((FILES / "pipeline.yml").read_text(encoding="utf-8"))
    resources = template["Resources"]
    resources["Notifier"]["Properties"]["Code"] = {"ZipFile": NOTIFIER.read_text(encoding="utf-8")}
    resources["Project"]["Properties"]["Source"]["BuildSpec"] = BUILDSPEC.read_text(encoding="utf-8")
    rights = RIGHTS.read_text(encoding="utf-8")
    for name, value in {"account": "123456789012", "region": "eu-west-1", "app": "shop"}.items():
        rights = rights.replace(f"<{name}>", value)
    resources["BakeRights"]["Properties"]["PolicyDocument"] = json.loads(rights)
    role = yaml.safe_load(COLOUR.read_text(encoding="utf-8"))["Resources"]["InstanceRole"]
    rights = json.dumps(role["Properties"]["Policies"][0]["PolicyDocument"])
    for before, after in {'{"Ref": "Env"}': '"validation"', "${Env}": "validation", "${Colour}": "*"}.items():
        rights = rights.replace(before, after)
    resources["ValidationRights"]["Properties"]["PolicyDocument"] = json.loads(rights)
    return template


def notifier_code() -> Any:
    """The notifier's module, as Lambda loads it: from its text alone."""
    spec = importlib.util.spec_from_file_location("notifier_of_the_pipeline", NOTIFIER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def state_change(status: str, build: str = "6f1c9a52-2f0e-4a3a-8a51-0d6f5a3b7c11") -> dict[str, Any]:
    """What CodeBuild says of a build whose install phase failed.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
    """
    phase = {"phase-context": [], "phase-status": "SUCCEEDED", "start-time": "Jan 2, 2026 11:45:00 AM"}
    failed = {
        "phase-context": [
            "COMMAND_EXECUTION_ERROR: Error while executing command: apt-get -qq update. Reason: exit status 100"
        ],
        "phase-type": "INSTALL",
        "phase-status": status,
        "duration-in-seconds": 14,
    }
    return {
        "build-status": status,
        "project-name": "shop-bake",
        "build-id": f"arn:aws:codebuild:eu-west-1:123456789012:build/shop-bake:{build}",
        "additional-information": {
            "build-complete": True,
            "initiator": "GitHub-Hookshot/0f1e2d3",
            "logs": {
                "group-name": "/aws/codebuild/shop-bake",
                "deep-link": "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logEvent:group=/aws/codebuild/shop-bake;stream=6f1c",
            },
            "phases": [
                {**phase, "phase-type": "SUBMITTED", "duration-in-seconds": 0},
                {**phase, "phase-type": "PROVISIONING", "duration-in-seconds": 31},
                failed,
                {"start-time": "Jan 2, 2026 11:46:00 AM", "phase-type": "COMPLETED"},
            ],
        },
        "current-phase": "COMPLETED",
        "current-phase-context": "[]",
        "version": "1",
    }
