# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What retention knows and decides, as frozen values: images, what uses them, the policy, the plan."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from enum import StrEnum

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

BASE_IMAGE_TAG = "base_image"


class Rule(StrEnum):
    """Why an image is kept, or that it is not."""

    IN_USE = "in_use"
    NEWEST = "newest"
    DAYS = "days"
    EXCLUDED = "excluded"
    FOREIGN = "foreign"
    STATE = "state"
    UNDATED = "undated"
    UNGROUPED = "ungrouped"
    PUBLIC = "public"
    PROTECTED = "protected"
    MAX_REMOVALS = "max_removals"
    FAILED = "failed"
    UNNEEDED = "unneeded"


class Place(StrEnum):
    """Where an image can be named."""

    IMAGES = "images"
    INSTANCES = "instances"
    LAUNCH_TEMPLATES = "launch templates"
    LAUNCH_CONFIGURATIONS = "launch configurations"
    GROUPS = "Auto Scaling groups"
    SHARING = "sharing"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that an image is made of; `size` is its volume's, in GiB."""

    id: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI as AWS describes it. `own` says that the account of the session owns it."""

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

    @property
    def base_image(self) -> str | None:
        """The id of the image that this one was built from, by its lineage tag."""
        return self.tags.get(BASE_IMAGE_TAG) or None

    @property
    def size(self) -> int:
        """GiB of all its snapshots' volumes; what they cost is at most this."""
        return sum(snapshot.size for snapshot in self.snapshots)


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that names an image; `user` names it to a person, as in "instance i-1 (running)"."""

    image_id: str
    user: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A place that could not be read, so that it may name any image, or the one whose `image_id` is given."""

    place: Place
    region: str
    error: str
    image_id: str = ""

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
    """Which images a policy is about: those with all of the tags and, if there are any, one of the names (globs)."""

    owner: str = "self"
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep of the selected images, in each group of each region. An image that any rule keeps is kept."""

    selection: Selection = Selection()
    group_by: tuple[str, ...] = ("app", "stage")
    newest: int = 0
    days: int = 0
    count_in_use: bool = False
    exclude_tags: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Reason:
    rule: Rule
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One image's fate and every reason for it. A removed image has the one rule `unneeded`."""

    image: Image
    reasons: tuple[Reason, ...]

    @property
    def removed(self) -> bool:
        return all(reason.rule is Rule.UNNEEDED for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions about all selected images (by region and group, newest first); the removals in their order."""

    decisions: tuple[Decision, ...]
    removals: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed for one image; the others went on."""

    image: Image
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan: final decisions, deleted snapshots by image, failures, what could not be read meanwhile."""

    decisions: tuple[Decision, ...]
    snapshots: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    failures: tuple[Failure, ...] = ()
    unread: tuple[Unread, ...] = ()
