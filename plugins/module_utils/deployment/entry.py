# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments in, result out: what the action plugin and the module both call."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.accounts import check_account
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.arguments import REQUIRED_IF, argument_spec
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.engine import Engine
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import holder
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.others import follow
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import outcome_facts
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import read_settings
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wishes import wish

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment

__all__ = ["REQUIRED_IF", "argument_spec", "observer", "run"]


def run(arguments: Mapping[str, t.Any], check_mode: bool, tell: Callable[[str], None]) -> dict[str, t.Any]:
    """Brings the env to the wanted state, or in check mode says how that would be done.

    Args:
        arguments: validated by `argument_spec`.
        check_mode: read only.
        tell: is called with each line of progress.

    Returns:
        The module's result, as documented in ``immutable.ec2.blue_green``.

    Raises:
        Refused, AwsError, LeaseLost: one line for a person; nothing is half done that the same call wouldn't finish.
    """
    started = clock.now()
    settings = read_settings(arguments, _read_template(arguments))
    clients = connect(arguments)
    check_account(clients, settings.account)
    look = observer(clients, settings.environment)
    wanted = wish(arguments["state"], clients, settings, look, tell, check_mode)
    engine = Engine(clients, settings, look, wanted, tell)
    outcome = None if check_mode else follow(wanted, look, settings, tell)
    outcome = outcome or (engine.preview() if check_mode else engine.run())
    if check_mode:
        for step in outcome.plan.steps:
            tell(f"{settings.environment.env} | would {step} ({step.reason})")
    facts = outcome_facts(outcome, check_mode)
    return {**facts, "seconds": round((clock.now() - started).total_seconds(), 1)}


def observer(clients: Clients, environment: Environment) -> Observer:
    """The way to look at an env, its ledger included."""
    return Observer(clients, environment, lambda table: Ledger(clients, table, holder.name()))


def _read_template(arguments: Mapping[str, t.Any]) -> str:
    path = arguments["colour_template"]
    if arguments["state"] not in ("deployed", "rolled_back") or not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"the colour's template {path} can't be read: {error.strerror}") from error
