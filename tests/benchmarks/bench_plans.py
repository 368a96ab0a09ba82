# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the pure parts take: the plan of a deployment, and of the retention of a large account's images."""

from __future__ import annotations

from timeit import repeat

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.plan import plan as plan_deployment
from ansible_collections.immutable.ec2.plugins.module_utils.retention.plan import plan as plan_retention
from tests.benchmarks.results import report
from tests.unit.deployment import worlds
from tests.unit.retention import accounts

IMAGES = 2_000


def main() -> None:
    second_release = worlds.world(worlds.edge(blue=100), worlds.stack(worlds.BLUE, "r1"))
    images = [accounts.image(f"ami-{number:017x}", age=number) for number in range(IMAGES)]
    used = accounts.used(*(image.id for image in images[::10]))
    policy = accounts.newest(5)
    # The fastest of some runs: what the code takes when nothing else wants the core.
    deployment = min(repeat(lambda: plan_deployment(second_release, worlds.deployed("r2"), worlds.NOW), number=1_000))
    retention = min(repeat(lambda: plan_retention(images, used, policy, accounts.NOW), number=1))
    report({"plan of a deployment, µs": deployment * 1_000, f"plan for {IMAGES} images, ms": retention * 1_000})


if __name__ == "__main__":
    main()
