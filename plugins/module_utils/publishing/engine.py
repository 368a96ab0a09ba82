# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: observe → plan → act, until nothing is left to do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.act import Actor
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.plan import plan
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.steps import Step

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Observed, Wanted

PATIENCE: t.Final = 40
"""So often it is looked for what was just written before the run gives up: AWS shows some writes late."""
PAUSE_SECONDS: t.Final = 1.5


@dataclass(frozen=True)
class Run:
    """What a run came to, or in check mode would come to."""

    before: Observed
    after: Observed
    steps: tuple[Step, ...]
    reason: str


def run(clients: Mapping[str, Clients], wanted: Wanted, check_mode: bool, tell: Callable[[str], None]) -> Run:
    """Brings a release to where it is wanted.

    Args:
        clients: of each of the regions.
        wanted: the release and what shall become of it.
        check_mode: read only; `after` is then a forecast.
        tell: is called with each line of progress.

    Raises:
        PublishError: it can't be done; the same call goes on from what is there.
        AwsError: AWS refused, or can't be reached.
    """
    observer = Observer(clients, wanted)
    before = observer.look()
    planned = plan(before, wanted, clock.now())
    if check_mode:
        for step in planned.steps:
            tell(f"would {step} ({step.reason})")
        return Run(before, forecast(before, wanted, planned.steps), planned.steps, planned.reason)
    actor = Actor(clients, wanted, observer.look, tell)
    seen, done, unseen = before, list[Step](), 0
    while planned.steps:
        if planned.next == tuple(done[-len(planned.next) :]):
            unseen += 1
            if unseen > PATIENCE:
                raise PublishError(f"AWS took this and doesn't show it: {planned.next[0]}; run the same command again")
            clock.sleep(PAUSE_SECONDS)
        else:
            unseen = 0
            for step in planned.next:
                tell(f"{step} ({step.reason})")
                actor.do(step, seen)
            done += planned.next
        seen = observer.look()
        planned = plan(seen, wanted, clock.now())
    return Run(before, seen, tuple(done), planned.reason)
