# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run begins: may it, and under whose name."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.assets import check_assets
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ids import new_id
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    Deployment,
    GateState,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.deploy import place
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shared import baseline, desired
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import check_architecture
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Aborted,
    Deployed,
    Retired,
    RolledBack,
    Wanted,
    same_but_configuration,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.judge import Judge
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Held, Ledger
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import Observed
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings


def mine(begun: Deployment, wanted: Wanted) -> bool:
    """Whether a run that wants this works on that unfinished deployment."""
    match wanted:
        case Deployed():
            return same_but_configuration(begun.identity, wanted.identity) and begun.kind != "rollback"
        case RolledBack() | Aborted():
            return True
        case Retired():
            return False


def check_start(
    clients: Clients,
    settings: Settings,
    judge: Judge,
    edge: EdgeStack,
    seen: Observed,
    wanted: Wanted,
    note: Callable[[str], None],
) -> None:
    """Refuses a deployment that can't come to a good end, before anything is changed.

    Args:
        note: is told what a person should know of a deployment that may begin.

    Raises:
        Refused: the servers' type can't run the image; its assets are not kept; an alarm doesn't exist, or is in ALARM
            and not expected to be.
        AwsError: the types, the bucket of assets or the alarms can't be read.
    """
    if not isinstance(wanted, Deployed) or seen.ledger.deployment:
        return
    check_architecture(clients, wanted.release, settings.instance_types)
    check_assets(clients, settings, edge, wanted, note)
    if not seen.edge.live:
        return
    missing, verdict = judge.before_start(edge)
    if missing:
        raise Refused(
            f"there is no alarm {', '.join(missing)}; mend gates.alarms in the env's file, or make the alarm first"
        )
    if verdict.state is GateState.FAILED:
        raise Refused(
            f"{verdict.words}; nothing was changed. Deploy when it is over, or name the alarm in gates.expected_alarms"
        )


def begin(ledger: Ledger, seen: Observed, wanted: Wanted, settings: Settings, tell: Callable[[str], None]) -> Held:
    """Takes the lock, waiting as long as the env's file allows, and begins the deployment in the same write.

    Raises:
        LockHeld: another controller is at work.
        AwsError: the ledger can't be written.
    """
    what, deployment = _deployment(seen, wanted, settings, ledger.holder)
    return ledger.wait_for(
        what, deployment, settings.lock_wait, lambda line: tell(f"{settings.environment.env} | {line}")
    )


def _deployment(seen: Observed, wanted: Wanted, settings: Settings, by: str) -> tuple[str, Deployment | None]:
    begun, now = seen.ledger.deployment, clock.now()
    match wanted:
        case Retired():
            return "retires the idle colour", None
        case Aborted():
            return f"ends the deployment {begun.id if begun else ''}", begun
        case RolledBack():
            return _rollback(seen, settings, by)
        case Deployed():
            target = place(seen, wanted)
            served = seen.colours[target.other] if seen.edge.weights.get(target.other, 0) > 0 else None
            new = Deployment(
                id=new_id(now),
                release=wanted.release.name,
                image=wanted.release.image,
                identity=wanted.identity,
                colour=target,
                previous=served.colour if served else None,
                previous_release=served.release if served else "",
                started_at=now,
                by=by,
                strategy=wanted.strategy.name,
                baseline=baseline(seen, target, wanted.capacity),
            )
            return f"deploys {wanted.release.name}", begun or new


def _rollback(seen: Observed, settings: Settings, by: str) -> tuple[str, Deployment | None]:
    begun, live, now = seen.ledger.deployment, seen.edge.live, clock.now()
    idle = seen.colours[live.other] if live else None
    if begun or live is None or idle is None:
        return "rolls back", begun
    serving = seen.colours[live]
    new = Deployment(
        id=new_id(now),
        release=idle.release,
        image=idle.image,
        identity=idle.identity,
        colour=idle.colour,
        previous=live,
        previous_release=serving.release if serving else "",
        started_at=now,
        by=by,
        kind="rollback",
        strategy=settings.strategy if settings.in_steps and not settings.immediate else "all_at_once",
        baseline=desired(seen, live),
    )
    return f"rolls back to {idle.release}", new
