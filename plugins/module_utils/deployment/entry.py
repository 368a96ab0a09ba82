# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments in, result out: what the action plugin and the module both call."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import Engine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Deployed, Retired, RolledBack
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import find_release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import outcome_facts
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import read_settings

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Wanted
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings


def argument_spec() -> dict[str, t.Any]:
    """The arguments of ``immutable.ec2.blue_green``, amazon.aws's among them."""
    return {
        **aws_argument_spec(),
        "state": {"type": "str", "choices": ["deployed", "rolled_back", "retired"], "default": "deployed"},
        "app": {"type": "str", "required": True},
        "env": {"type": "str", "required": True},
        "image": {"type": "str", "default": "newest"},
        "capacity": {
            "type": "dict",
            "default": {"min": 2, "max": 4},
            "options": {"min": {"type": "int", "required": True}, "max": {"type": "int", "required": True}},
        },
        "instance_type": {"type": "str", "default": "t3.small"},
        "colour_template": {"type": "path"},
        "launch": {"type": "dict", "default": {}},
        "health": {
            "type": "dict",
            "default": {},
            "options": {"path": {"type": "str", "default": "/up"}, "deadline": {"type": "int", "default": 600}},
        },
        "rollback_window": {"type": "int", "default": 3600},
        "immediate": {"type": "bool", "default": False},
    }


REQUIRED_IF: t.Final = [("state", "deployed", ["colour_template"])]


def run(arguments: Mapping[str, t.Any], check_mode: bool, tell: Callable[[str], None]) -> dict[str, t.Any]:
    """Brings the env to the wanted state, or in check mode says how that would be done.

    Args:
        arguments: validated by `argument_spec`.
        check_mode: read only.
        tell: is called with each line of progress.

    Returns:
        The module's result, as documented in ``immutable.ec2.blue_green``.

    Raises:
        Refused, AwsError: one line for a person; nothing is half done that the same call wouldn't finish.
    """
    started = datetime.now(UTC)
    settings = read_settings(arguments, _read_template(arguments))
    clients = connect(arguments)
    engine = Engine(clients, settings, tell)
    wanted = _wanted(arguments["state"], clients, settings)
    outcome = engine.preview(wanted) if check_mode else engine.run(wanted)
    if check_mode:
        for step in outcome.plan.steps:
            tell(f"{settings.environment.env} | would {step} ({step.reason})")
    facts = outcome_facts(outcome, check_mode)
    return {**facts, "seconds": round((datetime.now(UTC) - started).total_seconds(), 1)}


def _wanted(state: str, clients: Clients, settings: Settings) -> Wanted:
    if state == "rolled_back":
        return RolledBack(settings.deadline)
    if state == "retired":
        return Retired(settings.window, settings.immediate)
    release = find_release(clients, settings.environment.app, settings.image)
    return Deployed(release, settings.identity(release), settings.capacity, settings.deadline)


def _read_template(arguments: Mapping[str, t.Any]) -> str:
    path = arguments["colour_template"]
    if arguments["state"] != "deployed":
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"the colour's template {path} can't be read: {error.strerror}") from error
