# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers with addresses of their own, and what they shall do, read from the API's state.

Private to moto 5.2.5: ``ELBv2Backend.create_load_balancer`` and ``modify_listener``, listeners.
"""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeAction

from lab.api.elbv2.actions import forward
from lab.api.elbv2.rules import rules
from lab.api.elbv2.targets import Targets, backend
from lab.api.patching import replace
from lab.api.settings import Settings
from lab.loadbalancer.model import Backend, Balancing, Frontend, Member


def use_addresses(settings: Settings) -> None:
    """Give every load balancer its loopback address as its DNS name, and check a changed listener's actions."""

    def create_load_balancer(elbv2: Any, *arguments: Any, **named: Any) -> Any:
        taken = {balancer.dns_name for balancer in elbv2.load_balancers.values()}
        free = next(
            address
            for number in range(1, 255)
            if (address := f"{settings.lab.load_balancer_prefix}.{number}") not in taken
        )
        balancer = original_create(elbv2, *arguments, **named)
        balancer.dns_name = free
        return balancer

    def modify_listener(
        elbv2: Any,
        arn: str,
        port: str | None = None,
        protocol: str | None = None,
        ssl_policy: str | None = None,
        certificates: list[dict[str, Any]] | None = None,
        actions: list[dict[str, Any]] | None = None,
    ) -> Any:
        if actions:
            elbv2._validate_actions([FakeAction(action) for action in actions])
        return original_modify(elbv2, arn, port, protocol, ssl_policy, certificates, actions or [])

    original_create = replace(ELBv2Backend, "create_load_balancer", create_load_balancer)
    original_modify = replace(ELBv2Backend, "modify_listener", modify_listener)


def wanted(targets: Targets, settings: Settings) -> Balancing:
    """What the load balancers shall do now. Call with moto's lock held.

    HTTP listeners are served; an HTTPS listener is only in the API, since the lab has no certificates.
    """
    elbv2 = backend()
    frontends = tuple(
        Frontend(
            listener.arn,
            balancer.dns_name,
            int(listener.port),
            forward(listener.default_actions, settings),
            rules(listener, settings),
        )
        for balancer in elbv2.load_balancers.values()
        for listener in balancer.listeners.values()
        if listener.protocol == "HTTP"
    )
    used = {group for frontend in frontends for group in frontend.groups}
    backends = tuple(_backend(elbv2.target_groups[arn], targets) for arn in elbv2.target_groups if arn in used)
    return Balancing(frontends, backends)


def _backend(group: Any, targets: Targets) -> Backend:
    """The group's members: the healthy ones, or all registered ones where none is (AWS fails open)."""
    registered = [target for target in targets.of(group) if not target.draining]
    states = {target.id: targets.state(group, target).state for target in registered}
    reachable = [target for target in registered if states[target.id] != "unused"]
    healthy = [target for target in reachable if states[target.id] == "healthy"]
    chosen = healthy or reachable
    members = tuple(Member(target.id, targets.address(group, target), target.port) for target in chosen)
    return Backend(group.arn, members)
