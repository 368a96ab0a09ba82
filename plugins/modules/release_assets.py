#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_assets
version_added: "0.1.0"
short_description: Keep the compiled assets of releases in a bucket
description:
  - Puts the compiled assets of a release into a bucket, so that the servers of every other release can serve them while
    traffic is divided or was just shifted, or removes what only one release needs.
  - With V(present) a file is written that is new, has another content, or was written more than 12 hours ago. Then the
    list of the release's assets is written, by which a deployment sees that they are there.
  - With V(absent) the lists of releases go, and all files that no other release's list names and that are older than a
    day.
  - Needs C(s3:ListBucket), C(s3:GetObject), C(s3:PutObject), and for V(absent) C(s3:DeleteObject), below C(assets/).
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  state:
    description: Whether the release's assets are kept.
    type: str
    choices: [present, absent]
    default: present
  app:
    description: The app's name, for the bucket's default name.
    type: str
    required: true
  release:
    description: The release, its bake id. For V(present).
    type: str
  releases:
    description: The releases whose assets go. For V(absent).
    type: list
    elements: str
    default: []
  archive:
    description: The tar archive of the assets that the bake has left. Its paths are those by which browsers ask.
    type: path
  bucket:
    description: The bucket. Default is C(<app>-artifacts-<account>-<region>), which the pipeline's stack makes.
    type: str
  required:
    description:
      - Whether it is an error when there is no such bucket.
      - Otherwise it is a warning, and RV(kept) is V(false).
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads the bucket and writes nothing.
    support: full
  diff_mode:
    description: Lists the files that are written or removed.
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.blue_green
"""

EXAMPLES = r"""
- name: Keep a release's assets
  immutable.ec2.release_assets:
    app: shop
    release: 20260314-091500-4f2a9c1
    archive: build/bake/20260314-091500-4f2a9c1/assets.tar.gz

- name: Remove what only a release needs whose image is gone
  immutable.ec2.release_assets:
    state: absent
    app: shop
    releases: [20260101-120000-0a1b2c3]
"""

RETURN = r"""
kept:
  description: Whether the release's assets are in the bucket now.
  returned: with O(state=present)
  type: bool
  sample: true
bucket:
  description: The bucket.
  returned: success
  type: str
  sample: shop-artifacts-123456789012-eu-west-1
assets:
  description: How many assets the release has.
  returned: with O(state=present), where there is a bucket
  type: int
  sample: 212
written:
  description: The paths that were written (in check mode that would be).
  returned: with O(state=present), where there is a bucket
  type: list
  elements: str
  sample: [assets/theme-1a2b3c4d.css]
removed:
  description: The keys that were removed (in check mode that would be).
  returned: with O(state=absent)
  type: list
  elements: str
  sample: [assets/public/assets/theme-1a2b3c4d.css]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.assets.archive import Archive
from ansible_collections.immutable.ec2.plugins.module_utils.assets.keep import keep, remove
from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import conventional_bucket
from ansible_collections.immutable.ec2.plugins.module_utils.aws.buckets import NO_BUCKET
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.identity import caller_account
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused


def main() -> None:
    own = {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "app": {"type": "str", "required": True},
        "release": {"type": "str"},
        "releases": {"type": "list", "elements": "str", "default": []},
        "archive": {"type": "path"},
        "bucket": {"type": "str"},
        "required": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        {**aws_argument_spec(), **own},
        required_if=[("state", "present", ["release", "archive"])],
        supports_check_mode=True,
    )
    given = module.params
    try:
        clients = connect(given)
        bucket = given["bucket"] or conventional_bucket(given["app"], caller_account(clients), clients.region)
        module.exit_json(bucket=bucket, **_done(clients, bucket, given, module.check_mode))
    except AwsError as error:
        if error.code != NO_BUCKET or given["required"]:
            module.fail_json(msg=str(error))
        if given["state"] == "absent":
            module.exit_json(changed=False, removed=[], bucket=bucket)
        module.warn(
            f"there is no bucket {bucket}: the assets of {given['release']} are not kept, so that servers of other "
            "releases can't serve them. The playbook immutable.ec2.pipeline makes the bucket"
        )
        module.exit_json(changed=False, kept=False, bucket=bucket)
    except Refused as error:
        module.fail_json(msg=str(error))


def _done(clients: Clients, bucket: str, given: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """What was done, as the module's result."""
    if given["state"] == "absent":
        removal = remove(clients, bucket, given["releases"], check_mode)
        keys = [*removal.assets, *removal.manifests]
        diff = {"before": "".join(f"{key}\n" for key in keys), "after": ""}
        return {"changed": bool(keys), "removed": keys, "diff": diff}
    kept = keep(clients, bucket, given["release"], Archive(given["archive"]), check_mode)
    diff = {"before": "", "after": "".join(f"{path}\n" for path in kept.uploaded)}
    written = list(kept.uploaded)
    return {"changed": kept.changed, "kept": True, "assets": kept.assets, "written": written, "diff": diff}


if __name__ == "__main__":
    main()
