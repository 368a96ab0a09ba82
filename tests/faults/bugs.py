# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes that are made on purpose in a controller's process: the faults must bring each of them to light."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_DEPLOYMENT = "ansible_collections.immutable.ec2.plugins.module_utils.deployment"


def _guard_is_not_armed() -> None:
    """Traffic is shifted without an order to the guard."""
    _module("hold").Hold.arm = lambda *_arguments: None


def _lease_is_not_checked() -> None:
    """Writes are sent whoever has the lock by now, and whether or not somebody waits for the result."""
    fence = importlib.import_module("ansible_collections.immutable.ec2.plugins.module_utils.aws.fence").Fence
    fence.check = lambda *_arguments: None
    fence.parent_is_gone = lambda _fence: False


def _minimum_is_not_restored() -> None:
    """What a deployment held is let be at its end."""
    for name in ("deploy", "shifts", "turn_back"):
        _module(f"plan.{name}").settle = lambda *_arguments: ()


def _minimum_is_not_held() -> None:
    """Nothing keeps a colour from shrinking while its traffic leaves."""
    for name in ("deploy", "shifts"):
        _module(f"plan.{name}").hold = lambda *_arguments: ()


def _preview_stays_open() -> None:
    """The shift of all traffic leaves the preview's rule."""
    _module("act").CLOSED = {}


def _versions_are_not_kept() -> None:
    """No label says that a colour reads a version of a secret."""
    _module("configuration.labels").put = lambda *_arguments: None


BUGS: dict[str, Callable[[], None]] = {
    "the guard is not armed": _guard_is_not_armed,
    "the lease is not checked": _lease_is_not_checked,
    "the minimum is not restored": _minimum_is_not_restored,
    "the minimum is not held": _minimum_is_not_held,
    "the versions are not kept": _versions_are_not_kept,
    "the preview stays open": _preview_stays_open,
}


def make(bug: str) -> None:
    """Make a mistake in this process, which must have everything imported."""
    BUGS[bug]()


def _module(name: str) -> Any:
    return importlib.import_module(f"{_DEPLOYMENT}.{name}")
