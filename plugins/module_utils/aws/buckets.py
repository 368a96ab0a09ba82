# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3, one function a call."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, aws_call

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

ABSENT: t.Final = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


def bucket_exists(clients: Clients, bucket: str) -> bool:
    """Whether there is such a bucket.

    Raises:
        AwsError: it is somebody else's, or can't be looked at.
    """
    try:
        _head_bucket(clients, bucket)
    except AwsError as error:
        if error.code in ABSENT:
            return False
        raise
    return True


@aws_call("look for the bucket {}")
def _head_bucket(clients: Clients, bucket: str) -> None:
    clients.s3.head_bucket(Bucket=bucket)


@aws_call("write to the bucket {}")
def put_object(clients: Clients, bucket: str, key: str, content: bytes, content_type: str) -> None:
    """Writes an object, in place of one with the same key."""
    clients.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)


def find_object(clients: Clients, bucket: str, key: str) -> bytes | None:
    """An object's content, None where there is no such object.

    Raises:
        AwsError: it could not be read.
    """
    try:
        return _get_object(clients, bucket, key)
    except AwsError as error:
        if error.code in ABSENT:
            return None
        raise


@aws_call("read from the bucket {}")
def _get_object(clients: Clients, bucket: str, key: str) -> bytes:
    return clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
