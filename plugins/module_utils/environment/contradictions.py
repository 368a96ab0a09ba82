# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't be between keys of an environment file that are right in themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.gates.settings import ANALYSIS_LEAST_BAKE
from ansible_collections.immutable.ec2.plugins.module_utils.environment.said import Said

LEAST_ANALYSED = int(ANALYSIS_LEAST_BAKE.total_seconds())
"""Seconds of bake time that analysis needs: the load balancer's metrics come once a minute, and late.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""


def contradictions(said: Said) -> Iterator[str]:
    """Yields a sentence for each; none for keys whose own value is wrong."""
    for keys, check in _CHECKS:
        if not said.wrong & set(keys):
            yield from check(said)


def _capacity(said: Said) -> Iterator[str]:
    low, high = said.value("capacity.min"), said.value("capacity.max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        where = said.source("capacity.min", "capacity.max")
        yield f"{where}: capacity.min is {low} but capacity.max is {high}, allowed is a min of at most max"


def _network(said: Said) -> Iterator[str]:
    for given, missing in (("network.vpc", "network.subnets"), ("network.subnets", "network.vpc")):
        if given in said.entries and missing not in said.entries:
            yield f"{said.source(given)}: {given} is set but {missing} is not, allowed are both or neither"


def _steps(said: Said) -> Iterator[str]:
    strategy = said.strategy()
    for key in ("canary", "linear"):
        if key in said.entries and key != strategy and not said.superseded(key, "strategy"):
            if "strategy" in said.entries:
                yield (
                    f"{said.source(key)}: {key} is set but strategy is {strategy}, "
                    f"allowed is {key} with strategy: {key} only"
                )
            elif not said.superseded(key, strategy):
                yield f"{said.source(key)}: canary and linear are both set, allowed is one of them"


def _instance_types(said: Said) -> Iterator[str]:
    one, several = "instance_type", "instance_types"
    if one in said.entries and several in said.entries and said.entries[one].place == said.entries[several].place:
        yield f"{said.source(one)}: {one} and {several} are both set, allowed is one of them"


def _spot(said: Said) -> Iterator[str]:
    base, share = said.value("spot.base"), said.value("spot.share")
    if base and not share:
        yield (
            f"{said.source('spot.base')}: spot.base is {base} but spot.share is 0, so that no server is a spot one, "
            "allowed is a base with a share of at least 1"
        )


def _analysis(said: Said) -> Iterator[str]:
    bake_time = said.value("bake_time")
    if "gates.analysis" not in said.groups or not isinstance(bake_time, int) or bake_time >= LEAST_ANALYSED:
        return
    where = said.source("bake_time") if "bake_time" in said.entries else said.groups["gates.analysis"].source
    meant = "" if "bake_time" in said.entries else f" (the default of strategy {said.strategy()})"
    yield (
        f"{where}: bake_time is {bake_time}s{meant} but gates.analysis is set, allowed with it is a bake_time of at "
        f"least {LEAST_ANALYSED // 60}m, since the load balancer's metrics come once a minute"
    )


def _role(said: Said) -> Iterator[str]:
    account, role = said.value("account"), said.value("role")
    if account and role and str(role).split(":")[4] != account:
        yield (
            f'{said.source("role", "account")}: role is "{role}" but account is "{account}", '
            "allowed is a role of that account"
        )


def _connection(said: Said) -> Iterator[str]:
    if "pipeline.connection" in said.entries and "pipeline.repository" not in said.entries:
        yield (
            f"{said.source('pipeline.connection')}: pipeline.connection is set but pipeline.repository is not, "
            "allowed is a connection with the repository that it leads to"
        )


def _assets(said: Said) -> Iterator[str]:
    named = "assets_bucket" in said.entries and not said.superseded("assets_bucket", "assets")
    if named and said.value("assets") == "none":
        where = said.source("assets_bucket")
        yield f"{where}: assets_bucket is set but assets is none, allowed is a bucket with auto, bucket or cdn"


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Said], Iterator[str]]], ...] = (
    (("capacity.min", "capacity.max"), _capacity),
    (("network.vpc", "network.subnets"), _network),
    (("strategy", "canary", "linear"), _steps),
    (("instance_type", "instance_types"), _instance_types),
    (("spot.share", "spot.base"), _spot),
    (("strategy", "bake_time", "canary", "linear"), _analysis),
    (("account", "role"), _role),
    (("pipeline.connection", "pipeline.repository"), _connection),
    (("assets", "assets_bucket"), _assets),
)
