# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before servers are made for a release: can every server serve its digested assets, whichever colour is asked?"""

from __future__ import annotations

import enum
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import conventional_bucket, manifest_key
from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import NO_BUCKET, has_object
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Deployed

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.naming import EdgeStack
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Settings


class Found(enum.Enum):
    """What the bucket shows of a release's assets."""

    KEPT = "kept"
    NO_RELEASE = "no release"
    NO_BUCKET = "no bucket"


def check_assets(
    clients: Clients, settings: Settings, edge: EdgeStack, wanted: Deployed, note: Callable[[str], None]
) -> None:
    """Refuses a deployment whose assets the other colour's servers could not serve, before anything is changed.

    One read call; with ``assets: none`` none.

    Args:
        note: is told what a person should know where the env's file leaves it open.

    Raises:
        Refused: the release's assets are not where the env's file says they are.
        AwsError: the bucket can't be looked at.
    """
    if settings.assets == "none":
        return
    region, account = edge.stack_id.split(":")[3:5]
    bucket = settings.assets_bucket or conventional_bucket(settings.environment.app, account, region)
    release = wanted.release.name
    try:
        there = has_object(clients, bucket, manifest_key(release))
        found = Found.KEPT if there else Found.NO_RELEASE
    except AwsError as error:
        if error.code == NO_BUCKET:
            found = Found.NO_BUCKET
        elif settings.assets == "auto":
            note(f"{error}; whether the assets of {release} are kept is not known{CONSEQUENCE}")
            return
        else:
            raise
    refusal, remark = judge(settings.assets, found, bucket, release, wanted.rolls_back)
    if refusal:
        raise Refused(refusal)
    if remark:
        note(remark)


CONSEQUENCE: t.Final = ": while traffic shifts, pages of one release may miss assets that the other colour is asked for"


def judge(assets: str, found: Found, bucket: str, release: str, rolls_back: bool) -> tuple[str, str]:
    """Why a release may not be deployed, or what is to be said of it; both empty where all is well. Pure.

    Args:
        assets: the word of the env's file.
        found: what the bucket shows.
        bucket: its name.
        release: the release's name.
        rolls_back: whether the release comes back because the one after it is bad: that waits for no asset.
    """
    if found is Found.KEPT:
        return "", ""
    if found is Found.NO_BUCKET:
        what = f"there is no bucket {bucket} where releases keep their assets"
        do = "make it (pipeline.yml), name another as assets_bucket, or say assets: none in the env's file"
    else:
        what = f"the assets of {release} are not in the bucket {bucket}"
        do = "bake the release again, or hand its assets in (module release_assets); assets: none does without"
    if rolls_back or (assets == "auto" and found is Found.NO_BUCKET):
        return "", f"{what}{CONSEQUENCE}"
    return f"{what}{CONSEQUENCE}; nothing was changed. {do[0].upper()}{do[1:]}", ""
