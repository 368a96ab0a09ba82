# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run sees itself while it is under way: responses, gates, the command's answer."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace

from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock, proof
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.model import PreviewAccess
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.model import (
    ALL_TRAFFIC,
    Colour,
    Observed,
    Preview,
    Verdict,
    Watch,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import PREVIEW_HEADER
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan.shifts import shown
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.steps import (
    ContinueUpdate,
    DeleteColour,
    OpenPreview,
    Plan,
    Shift,
    Step,
)
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import (
    Deployed,
    RolledBack,
    Wanted,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.judge import Judge
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings

MOST_ANSWERS: t.Final = 240
PREVIEW_REQUESTS: t.Final = 3


class Watcher:
    """The memory of one run.

    Args:
        settings: how a swap is judged.
        judge: reads the gates.
    """

    def __init__(self, settings: Settings, judge: Judge) -> None:
        self._settings = settings
        self._judge = judge
        self._watch = Watch()
        self._answers: collections.Counter[str] | None = None
        self._weights: Mapping[Colour, int] = {}

    def did(self, step: Step) -> None:
        """A step was done: what was seen before it is no proof any more."""
        match step:
            case Shift():
                self._forget()
                self._watch = replace(self._watch, shifted=True)
            case OpenPreview():
                self._watch = replace(self._watch, preview_shown=False, command=None)
                self._answers = None
            case ContinueUpdate():
                self._watch = replace(self._watch, continued=self._watch.continued + 1)

    def command_said(self, verdict: Verdict) -> None:
        self._watch = replace(self._watch, command=verdict)

    @property
    def unproven(self) -> bool:
        return self._watch.unproven

    def add(self, edge: EdgeStack, seen: Observed, wanted: Wanted) -> Observed:
        """The observation with what this run saw: responses where traffic is split or was just moved, gates."""
        if isinstance(wanted, (Deployed, RolledBack)) and seen.edge.weights != self._weights:
            self._weights = seen.edge.weights
            self._forget()
        begun = seen.ledger.deployment
        if begun and not begun.turned_back:
            if seen.edge.share(begun.colour) > 0:
                stack = seen.colours[begun.colour]
                most = max(self._watch.most_healthy, stack.healthy if stack else 0)
                self._watch = replace(self._watch, most_healthy=most)
                self._prove(edge, seen, begun.colour)
                if isinstance(wanted, Deployed):
                    found = self._judge.verdicts(edge, seen, begun.colour, self._baked())
                    self._watch = replace(self._watch, verdicts=found)
            elif seen.edge.preview and seen.edge.preview.colour is begun.colour:
                self._try_preview(seen, seen.edge.preview)
        return replace(seen, watch=self._watch, answers=self._answers)

    def before_end(self, edge: EdgeStack, seen: Observed, decision: Plan) -> Observed:
        """Asks once more where it matters: before the end, and before anything is deleted."""
        deletes = bool(decision.steps) and isinstance(decision.steps[0], DeleteColour)
        if seen.edge.live is None or not (deletes or not decision.steps):
            return seen
        answers = proof.ask(seen.edge, self._settings.health_path)
        idle = seen.edge.live.other
        requests = self._judge.requests(edge, idle) if deletes and seen.colours[idle] else 0
        return replace(seen, answers=answers, idle_requests=requests)

    def _baked(self) -> bool:
        proven = self._watch.proven_at
        return proven is not None and clock.now() >= proven + self._settings.bake_time

    def _forget(self) -> None:
        self._answers = None
        self._judge.begin_anew()
        self._watch = replace(self._watch, proven_at=None, verdicts=(), most_healthy=0)

    def _prove(self, edge: EdgeStack, seen: Observed, target: Colour) -> None:
        if self._watch.proven_at:
            return
        stack = seen.colours[target]
        only = stack.release if stack and seen.edge.share(target) == ALL_TRAFFIC else None
        answers = proof.ask(seen.edge, self._settings.health_path, only=only)
        if answers is None:
            proven_at = clock.now() if self._judge.counted(edge, target) else None
            self._watch = replace(self._watch, unproven=True, proven_at=proven_at)
            return
        before = self._answers or collections.Counter()
        # What the load balancer did before it followed is no evidence for ever.
        whole = seen.edge.share(target) == ALL_TRAFFIC or sum(before.values()) > MOST_ANSWERS
        self._answers = collections.Counter(answers) if whole else before + collections.Counter(answers)
        if shown(replace(seen, answers=self._answers), target):
            self._watch = replace(self._watch, proven_at=clock.now())

    def _try_preview(self, seen: Observed, preview: Preview) -> None:
        stack = seen.colours[preview.colour]
        if self._watch.preview_shown or stack is None:
            return
        headers = {PREVIEW_HEADER: preview.secret}
        answers = proof.ask(seen.edge, self._settings.health_path, PREVIEW_REQUESTS, headers, stack.release)
        self._answers = collections.Counter(answers) if answers else None
        if answers is None or set(answers) == {stack.release}:
            self._watch = replace(self._watch, preview_shown=True, unproven=answers is None)


def preview_access(seen: Observed, url: str) -> PreviewAccess:
    """How a command, or a person, gets to the new colour; without a preview there is no secret."""
    secret = seen.edge.preview.secret if seen.edge.preview else ""
    return PreviewAccess(url, PREVIEW_HEADER, secret)
