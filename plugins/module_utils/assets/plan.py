# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be written to the bucket, and what removed from it. Pure.

A release that is published takes assets for kept that retention may be removing at the same moment. Age keeps the two
apart, without a lock: what is published is written anew once it is older than `RENEWED_AFTER`, and only what is older
than `REMOVED_AFTER` is removed, so that half a day lies between them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import PUBLIC, manifest_key

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import Stored

RENEWED_AFTER: t.Final = timedelta(hours=12)
REMOVED_AFTER: t.Final = timedelta(hours=24)


def to_upload(wanted: Mapping[str, str], stored: Mapping[str, Stored], now: datetime) -> list[str]:
    """The paths, sorted, of the assets that the bucket lacks, has otherwise, or has had for long.

    Args:
        wanted: path → the content's MD5 in hex.
        stored: what lies in the bucket, by key.
        now: the time of the listing.
    """
    return sorted(path for path, digest in wanted.items() if _due(stored.get(PUBLIC + path), digest, now))


def _due(stored: Stored | None, digest: str, now: datetime) -> bool:
    return stored is None or stored.etag != digest or now - stored.written > RENEWED_AFTER


@dataclass(frozen=True)
class Removal:
    """Keys that go."""

    assets: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()


def to_remove(
    removed: Collection[str], manifests: Mapping[str, Collection[str]], stored: Mapping[str, Stored], now: datetime
) -> Removal:
    """What goes with releases whose images are removed: their lists, and all assets that no other list names.

    Args:
        removed: the releases. Another one that has a list stays, whatever became of its image: it may be elsewhere.
        manifests: release → the paths that it lists.
        stored: the assets that lie in the bucket, by key.
        now: the time of the listing.
    """
    going = sorted(release for release in set(removed) if release in manifests)
    if not going:
        return Removal()
    needed = {PUBLIC + path for release, paths in manifests.items() if release not in going for path in paths}
    old = sorted(key for key, one in stored.items() if key not in needed and now - one.written > REMOVED_AFTER)
    return Removal(tuple(old), tuple(map(manifest_key, going)))
