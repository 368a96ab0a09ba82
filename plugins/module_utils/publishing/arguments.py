# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of ``immutable.ec2.ami_publish`` → what is wanted, refused with everything that is wrong at once."""

from __future__ import annotations

import re
import typing as t
from datetime import timedelta

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Validation, Wanted
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import (
    PUBLICATION_TAG,
    REASON_TAG,
    VALIDATION_ENV,
    VALIDATION_TAG,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

STATES: t.Final = ["published", "withdrawn"]
INTERFACES: t.Final = ["public_ip", "private_ip", "public_dns", "private_dns"]
OWN_TAGS: t.Final = frozenset({"Name", "app", "stage", "release", PUBLICATION_TAG, VALIDATION_TAG, REASON_TAG})
_NAME: t.Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_RELEASE: t.Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CHANNEL: t.Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REGION: t.Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_ACCOUNT: t.Final = re.compile(r"[0-9]{12}")
_ORGANIZATION: t.Final = re.compile(r"arn:aws[a-z-]*:organizations::[0-9]{12}:(?:organization|ou)/\S+")


def argument_spec() -> dict[str, t.Any]:
    """The argument spec, amazon.aws's arguments among it."""
    return {
        **aws_argument_spec(),
        "state": {"type": "str", "choices": STATES, "default": "published"},
        "app": {"type": "str", "required": True},
        "release": {"type": "str", "required": True},
        "stage": {"type": "str", "choices": ["base", "app"], "default": "app"},
        "channel": {"type": "str", "default": "main"},
        "regions": {"type": "list", "elements": "str", "default": []},
        "accounts": {"type": "list", "elements": "str", "default": []},
        "organizations": {"type": "list", "elements": "str", "default": []},
        "kms_keys": {"type": "dict", "default": {}, "no_log": False},
        "deprecate_after_days": {"type": "int", "default": 180},
        "tags": {"type": "dict", "default": {}},
        "validate_image": {"type": "bool", "default": True},
        "validation": {"type": "dict", "default": {}, "apply_defaults": True, "options": _validation()},
    }


def _validation() -> dict[str, t.Any]:
    return {
        "instance_type": {"type": "str", "default": "t3.small"},
        "subnet_id": {"type": "str", "default": ""},
        "ssh_interface": {"type": "str", "choices": INTERFACES, "default": "public_ip"},
        "ssh_username": {"type": "str", "default": "admin"},
        "ssh_sources": {"type": "list", "elements": "str", "default": ["0.0.0.0/0"]},
        "tests": {"type": "list", "elements": "path", "default": []},
        "env": {"type": "str", "default": VALIDATION_ENV},
        "instance_profile": {"type": "str", "default": ""},
        "health_path": {"type": "str", "default": "/up"},
        "smoke_command": {"type": "str", "default": ""},
        "deadline": {"type": "int", "default": 900},
    }


def to_wanted(arguments: Mapping[str, t.Any], home: str) -> Wanted:
    """What the arguments ask for.

    Args:
        arguments: validated by `argument_spec`.
        home: the region in which the release was baked.

    Raises:
        PublishError: they can't be meant so.
    """
    if wrong := list(_wrong(arguments)):
        raise PublishError(f"can't publish so: {'; '.join(wrong)}")
    days = arguments["deprecate_after_days"]
    given = arguments["validation"]
    validation = Validation(
        instance_type=given["instance_type"],
        interface=given["ssh_interface"],
        user=given["ssh_username"],
        tests=tuple(given["tests"]),
        subnet=given["subnet_id"],
        ssh_sources=tuple(given["ssh_sources"]),
        env=given["env"],
        profile=given["instance_profile"],
        health_path=given["health_path"],
        smoke_command=given["smoke_command"],
        deadline=timedelta(seconds=given["deadline"]),
    )
    return Wanted(
        app=arguments["app"],
        release=arguments["release"],
        regions=tuple(dict.fromkeys([home, *arguments["regions"]])),
        channel=arguments["channel"],
        validation=validation if arguments["validate_image"] else None,
        stage=arguments["stage"],
        withdrawn=arguments["state"] == "withdrawn",
        accounts=frozenset(arguments["accounts"]),
        organizations=frozenset(arguments["organizations"]),
        keys=dict(arguments["kms_keys"]),
        deprecate_after=timedelta(days=days) if days else None,
        tags=dict(arguments["tags"]),
    )


def _wrong(arguments: Mapping[str, t.Any]) -> t.Iterator[str]:
    for name, pattern in (("app", _NAME), ("release", _RELEASE)):
        if not pattern.fullmatch(arguments[name]):
            yield f"{name} {arguments[name]!r} must be lower case letters, digits and hyphens"
    if arguments["channel"] and not _CHANNEL.fullmatch(arguments["channel"]):
        yield f"channel {arguments['channel']!r} must be lower case letters, digits, dots, hyphens and underscores"
    for region in arguments["regions"]:
        if not _REGION.fullmatch(region):
            yield f"regions has {region!r}, which is no region's name (write them as us-east-1,us-west-2)"
    for account in arguments["accounts"]:
        if not _ACCOUNT.fullmatch(account):
            yield f"accounts has {account!r}, and an account's id has 12 digits (put it in quotes)"
    for arn in arguments["organizations"]:
        if not _ORGANIZATION.fullmatch(arn):
            yield f"organizations has {arn!r}, and wants the ARN of an organization or a unit of one"
    if unknown := sorted(set(arguments["kms_keys"]) - set(arguments["regions"])):
        yield f"kms_keys has {', '.join(unknown)}, where nothing is copied to: copies are made in regions"
    if own := sorted(OWN_TAGS & set(arguments["tags"])):
        yield f"the tags {', '.join(own)} are set by the bake itself"
    yield from (
        f"tags.{key} must be text (put {value} in quotes)"
        for key, value in arguments["tags"].items()
        if not isinstance(value, str)
    )
    if arguments["deprecate_after_days"] < 0:
        yield "deprecate_after_days must not be negative"
    if arguments["validation"]["deadline"] < 1:
        yield "validation.deadline must be at least a second"
