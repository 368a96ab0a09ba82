# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3, one function a call."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, absent, aws_call

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients

NO_BUCKET: t.Final = "NoSuchBucket"
ABSENT: t.Final = frozenset({"404", NO_BUCKET, "NoSuchKey", "NotFound"})
MOST_DELETED: t.Final = 1000
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


@dataclass(frozen=True)
class Stored:
    """An object as a listing shows it."""

    written: datetime
    etag: str
    """The content's MD5 in hex, where the bucket's encryption leaves it so."""


@aws_call("list the bucket {}")
def list_objects(clients: Clients, bucket: str, prefix: str) -> dict[str, Stored]:
    """All objects whose key has the prefix, by key.

    Raises:
        AwsError: with the code `NO_BUCKET` where there is no such bucket.
    """
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        one["Key"]: Stored(one["LastModified"], one.get("ETag", "").strip('"'))
        for page in pages
        for one in page.get("Contents", [])
    }


@aws_call("look into the bucket {}")
def has_object(clients: Clients, bucket: str, key: str) -> bool:
    """Whether there is an object of this key. By listing, which needs no right to read what lies there.

    Raises:
        AwsError: with the code `NO_BUCKET` where there is no such bucket.
    """
    found = clients.s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(one["Key"] == key for one in found.get("Contents", []))


@absent(ABSENT, instead=False)
@aws_call("look for the bucket {}")
def bucket_exists(clients: Clients, bucket: str) -> bool:
    """Whether there is such a bucket.

    Raises:
        AwsError: it is somebody else's, or can't be looked at.
    """
    clients.s3.head_bucket(Bucket=bucket)
    return True


@absent(ABSENT, instead=None)
@aws_call("read from the bucket {}")
def find_object(clients: Clients, bucket: str, key: str) -> bytes:
    """An object's content, None where there is no such object.

    Raises:
        AwsError: it could not be read.
    """
    return clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


@aws_call("write to the bucket {}")
def put_object(
    clients: Clients, bucket: str, key: str, content: bytes, content_type: str, cache_control: str = "no-cache"
) -> None:
    """Writes an object, in place of one with the same key."""
    clients.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type, CacheControl=cache_control)


def delete_objects(clients: Clients, bucket: str, keys: Sequence[str]) -> None:
    """Removes objects; those that are gone already are no error."""
    for start in range(0, len(keys), MOST_DELETED):
        _delete_objects(clients, bucket, keys[start : start + MOST_DELETED])


@aws_call("remove from the bucket {}")
def _delete_objects(clients: Clients, bucket: str, keys: Sequence[str]) -> None:
    answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    if errors := answer.get("Errors"):
        code = errors[0].get("Code", "")
        why = f"{code}: {errors[0].get('Message', '')} (first of {len(errors)}: {errors[0].get('Key')})"
        raise AwsError(f"remove from the bucket {bucket}", why, code)
