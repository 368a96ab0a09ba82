# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says on the instance itself that it has no configuration: a tag that can be seen without logging in."""

from __future__ import annotations

from urllib.parse import urlencode

from .aws.client import Aws
from .errors import ConfigError, Exit, Retryable
from .instance import Metadata

TAG = "config-pull"


def tag_instance(aws: Aws, metadata: Metadata, code: Exit) -> str | None:
    """Tag this instance with the code's name and number; returns why it could not be done, or None.

    The time for it is the deadline's of `aws`: a few seconds of its own, since the run's may be over.
    """
    try:
        instance = metadata.get("meta-data/instance-id")
        tag = {"ResourceId.1": instance or "", "Tag.1.Key": TAG, "Tag.1.Value": f"{code.word} ({code.value})"}
        body = urlencode({"Action": "CreateTags", "Version": "2016-11-15", **tag}).encode()
        aws.service("ec2").form("its tag", "CreateTags", body)
    except (ConfigError, Retryable) as error:
        return str(error)
    return None
