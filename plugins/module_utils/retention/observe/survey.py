# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All regions and accounts of a run, looked at side by side, a limited number of calls at a time."""

from __future__ import annotations

import itertools
import typing as t
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Image, Reference, References, Unread
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.region import Region

TEN: t.Final = 10
"""Images that AWS tells the references of in one call."""


class Survey:
    """Reads what is in the regions.

    Args:
        own: the account's own regions, by name.
        others: the same regions in the accounts that are looked into.
        limit: how many are read at the same time.
    """

    def __init__(self, own: dict[str, Region], others: Sequence[Region], limit: int) -> None:
        self.own = own
        self._all = [*own.values(), *others]
        self._limit = limit

    def images(self, owner: str) -> tuple[list[Image], tuple[Unread, ...]]:
        """All images, and the regions where they could not be read.

        Raises:
            AwsError: they could be read in no region at all.
        """

        def read(region: Region) -> list[Image] | AwsError:
            try:
                return region.images(owner)
            except AwsError as error:
                return error

        answers = self._side_by_side([partial(read, region) for region in self.own.values()])
        failed = [answer for answer in answers if isinstance(answer, AwsError)]
        if failed and len(failed) == len(answers):
            raise failed[0]
        found = [image for answer in answers if not isinstance(answer, AwsError) for image in answer]
        pairs = zip(self.own.values(), answers, strict=True)
        unread = (Unread(Place.IMAGES, one.name, str(why)) for one, why in pairs if isinstance(why, AwsError))
        return found, tuple(unread)

    def references(self) -> References:
        """What can be read in pages: everything but what AWS tells for single images and stacks only."""
        return self._sum([read for region in self._all for read in (region.launching, region.naming)])

    def closer(self, images: Sequence[Image], known: frozenset[str] | set[str] = frozenset()) -> References:
        """What AWS tells for single images and stacks only.

        Args:
            images: the candidates.
            known: regions whose stacks' templates were read before.
        """
        reads: list[Callable[[], References]] = []
        for region in self._all:
            here = [image for image in images if image.region == region.name]
            if here and region.name not in known:
                reads.append(region.stack_templates)
            for start in range(0, len(here), TEN):
                ids = [image.id for image in here[start : start + TEN]]
                reads.append(partial(region.referenced, ids))
        reads += [partial(self.own[one.region].sharing, one) for one in images if one.state != "disabled"]
        return self._sum(reads)

    def again(self, images: Sequence[Image]) -> References:
        """What names one of a few images of one region, at most ten, without being what launches or was launched."""
        regions = [one for one in self._all if one.name == images[0].region]
        return self._sum([one.naming for one in regions]) + self.closer(images)

    def last_look(self, image: Image, known: set[str]) -> References:
        """What launches from an image, was launched from it or is built from it, right before it is touched.

        Args:
            image: the image.
            known: the ids of the images that the plan knew.
        """
        reads: list[Callable[[], References]] = []
        for region in (one for one in self._all if one.name == image.region):
            reads += [partial(region.launching, [image.id]), partial(region.referenced, [image.id])]
        if image.state != "disabled":
            reads.append(partial(self.own[image.region].sharing, image))
        return self._sum(reads) + self._built_from([image], known)

    def _built_from(self, images: Sequence[Image], known: set[str]) -> References:
        """The images that were made since the plan, of one that is about to go."""

        def read(region: Region) -> References:
            try:
                children = region.children([image.id for image in images])
            except AwsError as error:
                return References(unread=(Unread(Place.IMAGES, region.name, str(error)),))
            new = [Reference(base, f"image {child}, built from it") for child, base in children if child not in known]
            return References(tuple(new))

        return self._sum([partial(read, region) for region in self.own.values()])

    def _sum(self, reads: Sequence[Callable[[], References]]) -> References:
        answers = self._side_by_side(reads)
        return References(
            tuple(itertools.chain.from_iterable(one.found for one in answers)),
            tuple(dict.fromkeys(itertools.chain.from_iterable(one.unread for one in answers))),
        )

    def _side_by_side(self, reads: Sequence[Callable[[], T]]) -> list[T]:
        if len(reads) < 2 or self._limit < 2:
            return [read() for read in reads]
        with ThreadPoolExecutor(self._limit) as pool:
            return list(pool.map(lambda read: read(), reads))


T = t.TypeVar("T")
