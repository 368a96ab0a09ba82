# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bucket of assets is, and what is called how in it."""

from __future__ import annotations

import re
import typing as t

PUBLIC: t.Final = "assets/public/"
"""Below it a key is the path by which a browser asks for the asset: servers put the one before the other."""

RELEASES: t.Final = "assets/releases/"

DIGESTED: t.Final = re.compile(r"[-.](?:[0-9a-f]{8,128}|[0-9A-Za-z_-]{8}|[0-9A-Za-z]{20,64})(?:\.[0-9A-Za-z_-]+)+$")
"""The default of app_units_digest_pattern: what the names of Rails' asset pipelines look like."""


def conventional_bucket(app: str, account: str, region: str) -> str:
    """The app's bucket, as the pipeline's stack names it."""
    return f"{app}-artifacts-{account}-{region}"


def manifest_key(release: str) -> str:
    """The object that lists a release's assets. It is written last: where it is, they are."""
    return f"{RELEASES}{release}.json"


def release_of(key: str) -> str:
    """The release whose list that is."""
    return key.removeprefix(RELEASES).removesuffix(".json")
