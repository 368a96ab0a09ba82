# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of ``immutable.ec2.blue_green``: an environment file's, durations in seconds, and a run's own."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

STATES: t.Final = ["deployed", "rolled_back", "retired", "aborted"]
REQUIRED_IF: t.Final = [("state", "deployed", ["colour_template"])]


def argument_spec() -> dict[str, t.Any]:
    """The argument spec, amazon.aws's arguments among it. Values are checked by `settings.read_settings`."""
    return {
        **aws_argument_spec(),
        "state": {"type": "str", "choices": STATES, "default": "deployed"},
        "app": {"type": "str", "required": True},
        "env": {"type": "str", "required": True},
        "account": {"type": "str"},
        "role": {"type": "str"},
        "image": {"type": "str", "default": "newest"},
        **_servers(),
        **_traffic(),
        "gates": {"type": "dict", "default": {}, "options": _gates()},
        "approve": {"type": "str"},
        "refresh": {"type": "str", "choices": ["config"]},
        "immediate": {"type": "bool", "default": False},
        "assets": {"type": "str", "choices": ["auto", "bucket", "cdn", "none"], "default": "auto"},
        "assets_bucket": {"type": "str"},
        "lock_wait": {"type": "int", "default": 0},
        "accept_drift": {"type": "bool", "default": False},
        "edge_may_skip": {"type": "list", "elements": "str", "default": []},
    }


def _servers() -> dict[str, t.Any]:
    """What a colour is made with."""
    hook: dict[str, t.Any] = {"timeout": {"type": "int", "default": 300}}
    results = ["abandon", "continue"]
    return {
        "capacity": {
            "type": "dict",
            "default": {"min": 2, "max": 4},
            "options": {"min": {"type": "int", "required": True}, "max": {"type": "int", "required": True}},
        },
        "instance_type": {"type": "str", "default": "t3.small"},
        "instance_types": {"type": "list", "elements": "str"},
        "spot": {
            "type": "dict",
            "default": {},
            "options": {"share": {"type": "int", "default": 0}, "base": {"type": "int", "default": 0}},
        },
        "warm_up": {"type": "int", "default": 0},
        "lifecycle_hooks": {
            "type": "dict",
            "default": {},
            "options": {
                "launch": {
                    "type": "dict",
                    "options": {**hook, "result": {"type": "str", "choices": results, "default": "abandon"}},
                },
                "terminate": {
                    "type": "dict",
                    "options": {**hook, "result": {"type": "str", "choices": results, "default": "continue"}},
                },
            },
        },
        "tags": {"type": "dict", "default": {}},
        "colour_template": {"type": "path"},
        "launch": {"type": "dict", "default": {}},
    }


def _traffic() -> dict[str, t.Any]:
    """How traffic goes from one colour to the other, and back."""
    return {
        "health": {
            "type": "dict",
            "default": {},
            "options": {"path": {"type": "str", "default": "/up"}, "deadline": {"type": "int", "default": 600}},
        },
        "strategy": {"type": "str", "choices": ["all_at_once", "canary", "linear"], "default": "all_at_once"},
        "canary": {"type": "list", "elements": "int"},
        "linear": {"type": "int"},
        "bake_time": {"type": "int"},
        "rollback": {"type": "str", "choices": ["at_once", "in_steps"], "default": "at_once"},
        "rollback_window": {"type": "int", "default": 3600},
        "inspect_window": {"type": "int", "default": 3600},
    }


def _gates() -> dict[str, t.Any]:
    return {
        "alarms": {"type": "list", "elements": "str", "default": []},
        "expected_alarms": {"type": "list", "elements": "str", "default": []},
        "analysis": {
            "type": "dict",
            "options": {
                "max_error_ratio": {"type": "float", "default": 1.5},
                "max_p95_ratio": {"type": "float", "default": 1.3},
                "min_requests": {"type": "int", "default": 200},
                "not_enough": {"type": "str", "choices": ["wait", "pass", "fail"], "default": "wait"},
            },
        },
        "command": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "default": "command"},
                "run": {"type": "str", "required": True},
                "timeout": {"type": "int", "default": 300},
            },
        },
        "approval": {"type": "bool", "default": False},
        "deadline": {"type": "int", "default": 600},
        "approval_deadline": {"type": "int", "default": 86400},
    }
