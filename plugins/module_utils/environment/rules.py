# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of an environment file: what each may hold, and what it is where nobody says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import (
    Parser,
    Value,
    choice,
    duration,
    list_of,
    mapping_of,
    ratio,
    rising_percentages,
    text,
    whole_number,
    yes_or_no,
)

#: Names become parts of stack names, tags and paths in the config store; the templates check the same.
NAME = r"[a-z][a-z0-9-]{0,30}"
NAME_IN_WORDS = "a name of lower-case letters, digits and hyphens, at most 31, beginning with a letter"

#: The template has a slot for each type, since CloudFormation can't make a list of overrides of any length.
MOST_INSTANCE_TYPES = 5

_INSTANCE_TYPE = r"[a-z0-9-]+\.[a-z0-9-]+"
_ALARM = r"(?!arn:)\S(?:[^\n]{0,253}\S)?"
# Servers read their tags from the instance metadata, where a key has no space and no slash, and is no path.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
_TAG_KEY = (
    r"(?!aws:|(?:[Nn]ame|app|env|colour|release|image|identity|original-minimum|config-manifest|assets-bucket|_index|\.\.?)$)"
    r"[A-Za-z0-9+=._:@,-]{1,128}"
)


@dataclass(frozen=True)
class Rule:
    """What a key may hold, and what it is where nobody says; a required key has no default."""

    parse: Parser
    default: Value = None
    required: bool = False
    seconds: bool = False
    """Whether the value is a duration, which a module takes in seconds."""


def _duration(lowest: str, highest: str, default: int | None) -> Rule:
    return Rule(duration(lowest, highest), default, seconds=True)


def _alarms(what: str) -> Rule:
    return Rule(list_of(_ALARM, 0, f"a list of different names of CloudWatch alarms {what}"), [])


RULES: Mapping[str, Rule] = {
    "app": Rule(text(NAME, NAME_IN_WORDS), required=True),
    "region": Rule(text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as eu-west-1")),
    "account": Rule(text(r"[0-9]{12}", "the id of an account, 12 digits")),
    "role": Rule(
        text(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+", "the ARN of a role (arn:aws:iam::<account>:role/<name>)")
    ),
    "strategy": Rule(choice("all_at_once", "canary", "linear"), "all_at_once"),
    "canary": Rule(rising_percentages),
    "linear": Rule(whole_number(1, 99)),
    "bake_time": _duration("0s", "24h", None),
    "image": Rule(
        text(
            r"ami-[0-9a-f]{8,17}|channel:[a-z0-9][a-z0-9._-]*|(?!ami-)[a-z0-9][a-z0-9-]*",
            "newest, channel:<name>, a release (bake id) or an image id (ami-...)",
        ),
        "newest",
    ),
    "capacity.min": Rule(whole_number(1, 1000), 2),
    "capacity.max": Rule(whole_number(1, 1000), 4),
    "instance_type": Rule(text(_INSTANCE_TYPE, "an instance type such as t3.small"), "t3.small"),
    "instance_types": Rule(
        list_of(
            _INSTANCE_TYPE,
            1,
            f"a list of at most {MOST_INSTANCE_TYPES} different instance types, the best first",
            MOST_INSTANCE_TYPES,
        )
    ),
    "spot.share": Rule(whole_number(0, 100), 0),
    "spot.base": Rule(whole_number(0, 1000), 0),
    "warm_up": _duration("0s", "1h", 0),
    "lifecycle_hooks.launch.timeout": _duration("30s", "2h", 300),
    "lifecycle_hooks.launch.result": Rule(choice("abandon", "continue"), "abandon"),
    "lifecycle_hooks.terminate.timeout": _duration("30s", "2h", 300),
    "lifecycle_hooks.terminate.result": Rule(choice("abandon", "continue"), "continue"),
    "tags": Rule(
        mapping_of(
            _TAG_KEY,
            r"[^\n]{0,256}",
            30,
            "a mapping of at most 30 keys without spaces and slashes, none of them one that a colour has itself "
            "(Name, app, env, colour, release, image, identity), to texts of at most 256 characters in quotes",
        ),
        {},
    ),
    "health.path": Rule(text(r"/\S*", "a path that begins with /"), "/up"),
    "health.deadline": _duration("10s", "6h", 600),
    "gates.alarms": _alarms("that must not be in ALARM"),
    "gates.expected_alarms": _alarms("that may be in ALARM before a deployment starts"),
    "gates.analysis.max_error_ratio": Rule(ratio(1, 100), 1.5),
    "gates.analysis.max_p95_ratio": Rule(ratio(1, 100), 1.3),
    "gates.analysis.min_requests": Rule(whole_number(1, 1_000_000), 200),
    "gates.analysis.not_enough": Rule(choice("wait", "pass", "fail"), "wait"),
    "gates.command.name": Rule(
        text(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}", "a name of letters, digits, spaces, dots, hyphens, at most 63"),
        "command",
    ),
    "gates.command.run": Rule(text(r"(?s).*\S.*", "a command line"), required=True),
    "gates.command.timeout": _duration("1s", "6h", 300),
    "gates.approval": Rule(yes_or_no, False),
    "gates.deadline": _duration("10s", "6h", 600),
    "gates.approval_deadline": _duration("1m", "168h", 86400),
    "rollback": Rule(choice("at_once", "in_steps"), "at_once"),
    "rollback_window": _duration("0s", "168h", 3600),
    "inspect_window": _duration("0s", "168h", 3600),
    "lock_wait": _duration("0s", "24h", 0),
    "accept_drift": Rule(yes_or_no, False),
    "edge_may_skip": Rule(
        list_of(r"[A-Za-z0-9]{1,255}", 0, "a list of different logical ids of the edge, such as Dashboard"), []
    ),
    "assets": Rule(choice("auto", "bucket", "cdn", "none"), "auto"),
    "assets_bucket": Rule(text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket")),
    "stickiness": _duration("0s", "168h", 0),
    "network.vpc": Rule(text(r"vpc-[0-9a-f]{8,17}", "the id of a VPC (vpc-...)")),
    "network.subnets": Rule(
        list_of(r"subnet-[0-9a-f]{8,17}", 2, "a list of at least two different subnet ids (subnet-...)")
    ),
    "certificate": Rule(text(r"arn:aws[a-z-]*:(acm|iam):\S+", "the ARN of a certificate (arn:aws:acm:...)")),
    "pipeline.repository": Rule(
        text(r"https://github\.com/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", "https://github.com/<owner>/<repository>")
    ),
    "pipeline.connection": Rule(
        text(
            r"arn:aws[a-z-]*:(codeconnections|codestar-connections):\S+",
            "the ARN of a connection to GitHub (arn:aws:codeconnections:...)",
        )
    ),
    "pipeline.branch": Rule(text(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}", "the name of a branch"), "main"),
    "pipeline.app_dir": Rule(
        text(r"(?!/)(?!.*\.\.)[A-Za-z0-9._/-]+", "a folder of the repository, such as . or app"), "."
    ),
    "pipeline.channel": Rule(
        text(r"[a-z0-9][a-z0-9-]{0,30}", "a name of lower-case letters, digits and hyphens, at most 31"), "main"
    ),
    "pipeline.collection": Rule(
        text(r"[!-~]+", "what ansible-galaxy can install, such as immutable.ec2:1.2.0"), "immutable.ec2"
    ),
    "pipeline.build_image": Rule(
        text(r"[!-~]+", "a container image with Debian"), "public.ecr.aws/docker/library/debian:12"
    ),
    "pipeline.build_size": Rule(choice("small", "medium", "large"), "small"),
    "pipeline.build_timeout": _duration("5m", "36h", 7200),
    "pipeline.schedule": Rule(
        text(r"never|(rate|cron)\(.+\)", "rate(7 days), cron(0 4 ? * MON *) and the like, or never"), "rate(7 days)"
    ),
    "pipeline.slack_secret": Rule(
        text(
            r"[A-Za-z0-9/_+=.@-]{1,250}",
            "the name of a secret in Secrets Manager, never the webhook's address itself",
        )
    ),
    "pipeline.keep_builds": Rule(whole_number(1, 3650), 90),
    "pipeline.validation_profile": Rule(yes_or_no, True),
}

#: Groups that mean nothing unless they are written; false takes one away that another file wrote.
OPTIONAL = frozenset({"lifecycle_hooks.launch", "lifecycle_hooks.terminate", "gates.analysis", "gates.command"})

GROUPS = frozenset(
    ".".join(parts[:depth]) for parts in (key.split(".") for key in RULES) for depth in range(1, len(parts))
)


def keys_in(group: str) -> list[str]:
    """Returns the whole keys, and the groups, directly in a group; "" is the file itself."""
    depth = group.count(".") + 2 if group else 1
    prefix = f"{group}." if group else ""
    return list(dict.fromkeys(".".join(key.split(".")[:depth]) for key in RULES if key.startswith(prefix)))
