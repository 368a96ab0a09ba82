# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments in, result out: what the action plugin and the module both call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.arguments import argument_spec, to_wanted
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.engine import run as run_engine
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.report import to_result

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["argument_spec", "run"]


def run(arguments: Mapping[str, t.Any], check_mode: bool, tell: Callable[[str], None]) -> dict[str, t.Any]:
    """Publishes or withdraws a release, or in check mode says how that would be done.

    Args:
        arguments: validated by `argument_spec`.
        check_mode: read only.
        tell: is called with each line of progress.

    Returns:
        The module's result, as documented in ``immutable.ec2.ami_publish``, with its diff.

    Raises:
        PublishError, AwsError: one line for a person; the same call goes on from what is there.
    """
    started = clock.monotonic()
    clients = connect(arguments)
    wanted = to_wanted(arguments, clients.region)
    regions = {region: clients.in_region(region) for region in wanted.regions}
    done = run_engine(regions, wanted, check_mode, lambda line: tell(f"{wanted.app} {wanted.release} | {line}"))
    return {**to_result(done, wanted), "seconds": round(clock.monotonic() - started, 1)}
