# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What retention knows and decides, as frozen values: images, what uses them, the policy, the plan."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Place, Rule, Step

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

BASE_IMAGE_TAG = "base_image"
BAKE_TAGS = ("app", "stage", "release")
"""The tags by which copies of one bake in several regions know each other."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that an image is made of; `size` is its volume's, in GiB."""

    id: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI as AWS describes it. `own` says that the account of the session owns it.

    `deprecated` is when it became, or will become, deprecated; `disabled` when retention disabled it, by its tag.
    """

    id: str
    region: str
    name: str | None = None
    owner: str = ""
    own: bool = True
    state: str = "available"
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    snapshots: tuple[Snapshot, ...] = ()
    public: bool = False
    protected: bool = False
    deprecated: datetime | None = None
    disabled: datetime | None = None

    @property
    def base_image(self) -> str | None:
        """The id of the image that this one was built from, by its lineage tag."""
        return self.tags.get(BASE_IMAGE_TAG) or None

    @property
    def bake(self) -> tuple[str, ...] | None:
        """What it has in common with its copies elsewhere, by its tags; None where it has none of them."""
        return tuple(self.tags.get(tag, "") for tag in BAKE_TAGS) if self.tags.get("release") else None

    @property
    def size(self) -> int:
        """GiB of all its snapshots' volumes; what they cost is at most this."""
        return sum(snapshot.size for snapshot in self.snapshots)


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that names an image; `user` names it to a person, as in "instance i-1 (running)"."""

    image_id: str
    user: str
    rule: Rule = Rule.IN_USE


@dataclass(frozen=True, slots=True)
class Unread:
    """A place that could not be read, so that it may name any image, or the one whose `image_id` is given."""

    place: Place
    region: str
    error: str
    image_id: str = ""
    account: str = ""

    @property
    def where(self) -> str:
        """The place, its region and, where it is another's, the account, for a person."""
        return f"{self.place} of {self.region}" + (f" in account {self.account}" if self.account else "")

    def may_name(self, image: Image) -> bool:
        """A lineage tag crosses regions (copies keep it), everything else names images of its own region."""
        if self.image_id:
            return self.image_id == image.id
        return self.place is Place.IMAGES or self.region == image.region


@dataclass(frozen=True, slots=True)
class References:
    """All that was found to name images, and what could not be looked into."""

    found: tuple[Reference, ...] = ()
    unread: tuple[Unread, ...] = ()

    def __add__(self, other: References) -> References:
        return References(self.found + other.found, self.unread + other.unread)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images a policy is about: those with all of the tags and, if there are any, one of the names (globs) and
    one of the ids."""

    owner: str = "self"
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stages:
    """How old an image must be for each stage; None leaves a stage out."""

    deprecate: timedelta | None = None
    disable: timedelta | None = None
    deregister: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep of the selected images, in each group of each region. An image that any rule keeps is kept.

    Without `stages` an image that nothing keeps is deregistered at once. `together` keeps all copies of a bake where
    one is kept; `lineage` keeps what a kept image was built from; `public`, `shared` and `protected` keep such images.
    """

    selection: Selection = Selection()
    group_by: tuple[str, ...] = ("app", "stage")
    newest: int = 0
    days: int = 0
    count_in_use: bool = False
    exclude_tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    stages: Stages | None = None
    together: bool = True
    lineage: bool = True
    public: bool = True
    shared: bool = True
    protected: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    rule: Rule
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One image's fate and every reason for it. What something happens to has the one rule `unneeded`."""

    image: Image
    reasons: tuple[Reason, ...]
    step: Step = Step.KEEP

    @property
    def removed(self) -> bool:
        return self.step is Step.DEREGISTER


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions about all selected images (by region and group, newest first); what is to be done, in its order."""

    decisions: tuple[Decision, ...]
    steps: tuple[Decision, ...] = ()

    @property
    def removals(self) -> tuple[Image, ...]:
        """What can no longer be launched afterwards: the images that are disabled or deregistered."""
        return tuple(one.image for one in self.steps if one.step in (Step.DISABLE, Step.DEREGISTER))


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed for one image; the others went on."""

    image: Image
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan: final decisions, deleted snapshots by image, failures, what could not be read meanwhile.

    `orphans` are the snapshots of images removed earlier.
    """

    decisions: tuple[Decision, ...]
    snapshots: Mapping[str, tuple[Snapshot, ...]] = field(default_factory=dict, hash=False)
    failures: tuple[Failure, ...] = ()
    unread: tuple[Unread, ...] = ()
    orphans: tuple[Orphan, ...] = ()


@dataclass(frozen=True, slots=True)
class Orphan:
    """A snapshot that retention left when it removed its image; `error` says why it is still there, if it is."""

    snapshot: Snapshot
    region: str
    image_id: str
    error: str = ""
