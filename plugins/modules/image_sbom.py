#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_sbom
version_added: "0.1.0"
short_description: Write an image's SBOM, and how its packages differ from those of the release before
description:
  - Makes a CycloneDX SBOM (version 1.6, JSON) of the packages that the role M(immutable.ec2.image_sbom) found on the
    builder, writes it to O(dest), and to the bucket where there is one, as C(sbom/<release>/<stage>.cdx.json).
  - Compares the packages with those of the release that the channel names, whose SBOM is looked for in O(folder) and
    then in the bucket.
  - Needs the Python package cyclonedx-python-lib.
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  packages:
    description: The file that the role wrote.
    type: path
    required: true
  dest:
    description: Where the SBOM is written. Its folder exists.
    type: path
    required: true
  app:
    description: The app's name.
    type: str
    required: true
  stage:
    description: Which image.
    type: str
    choices: [base, app]
    default: app
  release:
    description: The release (bake id).
    type: str
    required: true
  channel:
    description: The channel whose release it is compared with. Empty for no comparison.
    type: str
    default: ""
  folder:
    description: Where earlier releases have folders of their own with their SBOM in it.
    type: path
  bucket:
    description: The bucket of the app's artifacts. One that does not exist is no error.
    type: str
    default: ""
attributes:
  check_mode:
    description: Compares, and writes nothing.
    support: full
  diff_mode:
    description: RV(packages) says what changed.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.ami_publish
"""

EXAMPLES = r"""
- name: Write the SBOM of a release
  immutable.ec2.image_sbom:
    packages: build/bake/20260102-114500-a1b2c3d/app.packages.json
    dest: build/bake/20260102-114500-a1b2c3d/app.cdx.json
    folder: build/bake
    app: shop
    release: 20260102-114500-a1b2c3d
    channel: main
"""

RETURN = r"""
packages:
  description: The difference, null where there is nothing to compare with.
  returned: always
  type: dict
  contains:
    previous_release:
      description: The release that it is compared with.
      type: str
      sample: 20251230-090000-0f1e2d3
    added:
      description: Packages that the release before has not.
      type: list
      elements: dict
      sample: [{type: gem, name: csv, version: 3.3.0}]
    changed:
      description: Packages of another version.
      type: list
      elements: dict
      sample: [{type: deb, name: libssl3t64, from: 3.5.4-1~deb13u1, to: 3.5.4-1~deb13u2}]
    removed:
      description: Packages that it has no more.
      type: list
      elements: dict
      sample: []
count:
  description: How many packages the image has.
  returned: always
  type: int
  sample: 412
uploaded:
  description: Where the SBOM lies in S3, empty where there is no bucket.
  returned: always
  type: str
  sample: s3://shop-artifacts-123456789012-eu-west-1/sbom/20260102-114500-a1b2c3d/app.cdx.json
"""

import json
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import bucket_exists, find_object, put_object
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.parameters import find_parameter
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.baking.packages import (
    Difference,
    Package,
    difference,
    read_contents,
)
from ansible_collections.immutable.ec2.plugins.module_utils.baking.sbom import (
    HAS_CYCLONEDX,
    MISSING,
    read_sbom,
    to_sbom,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import pointer_name

CONTENT_TYPE = "application/vnd.cyclonedx+json"
ARGUMENTS: dict[str, t.Any] = {
    "packages": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "app": {"type": "str", "required": True},
    "stage": {"type": "str", "choices": ["base", "app"], "default": "app"},
    "release": {"type": "str", "required": True},
    "channel": {"type": "str", "default": ""},
    "folder": {"type": "path"},
    "bucket": {"type": "str", "default": ""},
}


def previous_packages(clients: Clients, params: dict[str, t.Any], bucket: str) -> tuple[str, list[Package]] | None:
    """The release that the channel names and its packages; None where there is none, or nobody knows them."""
    if not params["channel"]:
        return None
    release = find_parameter(clients, pointer_name(params["app"], params["channel"]))
    if release is None or release == params["release"]:
        return None
    here = Path(params["folder"] or ".", release, f"{params['stage']}.cdx.json")
    known = here.read_bytes() if here.is_file() else None
    if known is None and bucket:
        known = find_object(clients, bucket, f"sbom/{release}/{params['stage']}.cdx.json")
    return (release, read_sbom(known)) if known else None


def shown(previous: str, found: Difference) -> dict[str, t.Any]:
    """The difference as it is returned."""
    return {
        "previous_release": previous,
        "added": [{"type": one.kind, "name": one.name, "version": one.version} for one in found.added],
        "changed": [
            {"type": kind, "name": name, "from": before, "to": after} for kind, name, before, after in found.changed
        ],
        "removed": [{"type": one.kind, "name": one.name, "version": one.version} for one in found.removed],
    }


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Writes and compares; raises AwsError, OSError, ValueError."""
    contents = read_contents(json.loads(Path(params["packages"]).read_text(encoding="utf-8")))
    text = to_sbom(contents, params["app"], params["stage"], params["release"], datetime.now(UTC))
    clients = connect(params)
    bucket = params["bucket"] if params["bucket"] and bucket_exists(clients, params["bucket"]) else ""
    previous = previous_packages(clients, params, bucket)
    key = f"sbom/{params['release']}/{params['stage']}.cdx.json"
    if not check_mode:
        Path(params["dest"]).write_text(text, encoding="utf-8")
        if bucket:
            put_object(clients, bucket, key, text.encode(), CONTENT_TYPE)
    return {
        "changed": True,
        "count": len(contents.packages),
        "uploaded": f"s3://{bucket}/{key}" if bucket else "",
        "packages": shown(previous[0], difference(previous[1], contents.packages)) if previous else None,
    }


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not HAS_CYCLONEDX:
        module.fail_json(msg=MISSING)
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except (AwsError, OSError, ValueError) as error:
        module.fail_json(msg=f"the SBOM of {module.params['release']} could not be written: {error}")


if __name__ == "__main__":
    main()
