# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's `state` to what is wanted of the env."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import pin
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.holder import name
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import StackPhase
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import find_release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Deployed,
    GateRules,
    Release,
    Retired,
    RolledBack,
    Strategy,
    Wanted,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings


def wish(
    state: str,
    clients: Clients,
    settings: Settings,
    observer: Observer,
    tell: Callable[[str], None],
    check_mode: bool,
) -> Wanted:
    """What the user wants.

    Raises:
        Refused: there is no such image, no such deployment to approve, or, with `refresh`, no whole configuration.
        AwsError: a call failed.
    """
    if state == "aborted":
        return Aborted(name())
    if state == "retired":
        return Retired(settings.window, settings.inspect_window, settings.immediate)
    if state == "rolled_back":
        return _rolled_back(clients, settings, observer, tell)
    if settings.approve:
        return _approved(settings, observer, check_mode)
    release = find_release(clients, settings.environment.app, settings.image)
    wanted = _deployed(release, settings.identity(release), settings)
    return pin(clients, settings, wanted, tell) if settings.refresh else wanted


def _deployed(release: Release, identity: str, settings: Settings, rolls_back: bool = False) -> Deployed:
    gates = settings.gates
    return Deployed(
        release,
        identity,
        settings.capacity,
        settings.deadline,
        Strategy(settings.strategy, settings.steps, settings.bake_time),
        GateRules(gates.command.name if gates.command else "", gates.approval, gates.approval_deadline),
        settings.accept_drift,
        frozenset(settings.edge_may_skip),
        rolls_back,
    )


def _approved(settings: Settings, observer: Observer, check_mode: bool) -> Deployed:
    """The deployment that a person says go to, whatever image is the newest by now."""
    begun = observer.everything().ledger.deployment
    if begun is None or begun.id != settings.approve:
        now = f"the one under way is {begun.id}" if begun else "no deployment is under way"
        raise Refused(f"deployment {settings.approve} can't be approved: {now}; status.yml shows what is")
    if not check_mode:
        observer.ledger.approve(begun.id, name())
    return _deployed(Release(begun.release, begun.image, declaration=None), begun.identity, settings)


def _rolled_back(clients: Clients, settings: Settings, observer: Observer, tell: Callable[[str], None]) -> Wanted:
    in_steps = settings.in_steps and not settings.immediate
    strategy = Strategy(settings.strategy, settings.steps, settings.bake_time) if in_steps else Strategy()
    wanted = RolledBack(settings.deadline, strategy, name())
    seen = observer.everything()
    live = seen.edge.live
    begun = seen.ledger.deployment
    if live is None or (begun and begun.kind == "rollback"):
        return wanted
    serving = seen.colours[live]
    if _can_return(seen):
        return replace(wanted, left=observer.ledger.left_behind(serving.release)) if serving else wanted
    before = observer.ledger.last_deployed(serving.release) if serving else None
    if (begun and begun.identity == (serving.identity if serving else "")) or before is None or not settings.template:
        return wanted
    tell(
        f"{settings.environment.env} | the colour from before is gone, since its rollback window has passed; "
        f"the release before, {before.release}, is deployed anew from its image {before.image}"
    )
    release = find_release(clients, settings.environment.app, before.image)
    return _deployed(release, settings.identity(release), settings, rolls_back=True)


def _can_return(seen: Observed) -> bool:
    idle = seen.colours[seen.edge.live.other] if seen.edge.live else None
    return idle is not None and idle.phase is StackPhase.READY
