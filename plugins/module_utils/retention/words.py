# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of retention: rules, steps, places."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """Why an image is kept, or that it is not."""

    IN_USE = "in_use"
    PREVIOUS = "per_env_previous"
    NEWEST = "newest"
    DAYS = "days"
    COPY = "copy"
    EXCLUDED = "excluded"
    FOREIGN = "foreign"
    STATE = "state"
    UNDATED = "undated"
    UNGROUPED = "ungrouped"
    PUBLIC = "public"
    PROTECTED = "protected"
    WAITING = "waiting"
    MAX_REMOVALS = "max_removals"
    FAILED = "failed"
    UNNEEDED = "unneeded"
    RESTORED = "restored"


class Step(StrEnum):
    """What happens to an image."""

    KEEP = "kept"
    DEPRECATE = "deprecated"
    DISABLE = "disabled"
    DEREGISTER = "removed"
    RESTORE = "restored"


class Place(StrEnum):
    """Where an image can be named."""

    IMAGES = "images"
    INSTANCES = "instances"
    LAUNCH_TEMPLATES = "launch templates"
    LAUNCH_CONFIGURATIONS = "launch configurations"
    GROUPS = "Auto Scaling groups"
    FLEETS = "EC2 fleets"
    SPOT = "spot requests and spot fleets"
    PARAMETERS = "SSM parameters"
    STACKS = "CloudFormation stacks"
    TEMPLATES = "CloudFormation templates"
    ENVIRONMENTS = "environments' ledgers"
    RECIPES = "Image Builder recipes"
    REFERENCES = "AWS's own image references"
    SHARING = "sharing"
    SNAPSHOTS = "snapshots"
    RECYCLE_BIN = "the Recycle Bin"
