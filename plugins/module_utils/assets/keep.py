# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets of releases in the bucket: kept when one is published, removed when its image is."""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.assets import plan
from ansible_collections.immutable.ec2.plugins.module_utils.assets.archive import Archive, cache_control, content_type
from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import (
    PUBLIC,
    RELEASES,
    manifest_key,
    release_of,
)
from ansible_collections.immutable.ec2.plugins.module_utils.aws import buckets
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

AT_ONCE: t.Final = 8


@dataclass(frozen=True)
class Kept:
    """What was done for a release, or would be."""

    assets: int
    uploaded: tuple[str, ...]
    listed: bool
    """Whether the release's list was there already, and is the same."""

    @property
    def changed(self) -> bool:
        return bool(self.uploaded) or not self.listed


def keep(clients: Clients, bucket: str, release: str, archive: Archive, check_mode: bool = False) -> Kept:
    """Puts a release's assets into the bucket, and then the list of them. Done again, it goes on where it stopped.

    Raises:
        AwsError: with the code `buckets.NO_BUCKET` where there is no such bucket.
        Refused: the archive can't be read.
    """
    wanted = archive.digests()
    due = plan.to_upload(wanted, buckets.list_objects(clients, bucket, PUBLIC), clock.now())
    content = json.dumps({"release": release, "assets": sorted(wanted)}, indent=1).encode()
    listed = buckets.find_object(clients, bucket, manifest_key(release)) == content
    if not check_mode:
        _upload(clients, bucket, archive, due)
        if due or not listed:
            buckets.put_object(clients, bucket, manifest_key(release), content, "application/json")
    return Kept(len(wanted), tuple(due), listed)


def _upload(clients: Clients, bucket: str, archive: Archive, due: Collection[str]) -> None:
    def put(file: tuple[str, bytes]) -> None:
        path, content = file
        buckets.put_object(clients, bucket, PUBLIC + path, content, content_type(path), cache_control(path))

    # Listing has made the client: boto3 can't make one in several threads at once.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in _batches(archive.contents(due)):
            list(pool.map(put, some))


def _batches(files: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """A few at a time, so that a large archive isn't in memory as a whole."""
    batch: list[tuple[str, bytes]] = []
    for file in files:
        batch.append(file)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def remove(clients: Clients, bucket: str, releases: Collection[str], check_mode: bool = False) -> plan.Removal:
    """Removes the assets that only these releases have, and their lists. Done again, it goes on where it stopped.

    Raises:
        AwsError: with the code `buckets.NO_BUCKET` where there is no such bucket.
        Refused: a release's list can't be understood, so that nobody knows what is needed; nothing was removed.
    """
    keys = buckets.list_objects(clients, bucket, RELEASES)
    if not any(manifest_key(release) in keys for release in releases):
        return plan.Removal()
    manifests = {release_of(key): _listed(clients, bucket, key) for key in keys}
    removal = plan.to_remove(releases, manifests, buckets.list_objects(clients, bucket, PUBLIC), clock.now())
    if not check_mode:
        # The lists last: a run that breaks off between finds what it has left to do.
        buckets.delete_objects(clients, bucket, removal.assets)
        buckets.delete_objects(clients, bucket, removal.manifests)
    return removal


def _listed(clients: Clients, bucket: str, key: str) -> frozenset[str]:
    content = buckets.find_object(clients, bucket, key)
    if content is None:  # removed meanwhile, by another run of retention
        return frozenset()
    try:
        return frozenset(json.loads(content)["assets"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"the list of assets {key} in the bucket {bucket} can't be understood; no asset was removed. "
            f"Publish the release again, or remove the list if there is no such release"
        ) from error
