#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_retention
version_added: "0.1.0"
short_description: Remove the images (AMIs) that nobody needs
description:
  - Keeps the newest images of each group, and every image that anything uses; deregisters the others and deletes their
    snapshots.
  - An image is in use if an instance in any state but terminated runs from it, if any version of a launch template, a
    launch configuration or an Auto Scaling group (mixed instances overrides included) names it, if it is shared with
    another account, or if an image that stays was built from it, by the lineage tag C(base_image).
  - What can't be looked up counts as used. Where a place can't be read, every image that it may name is kept, and
    RV(unread) says which place that was.
  - Use is looked up once more right before each image is removed.
  - Images that are pending, failed, disabled, public, protected from deregistration, without a creation date, without
    one of the tags of O(group_by), or owned by another account are never removed.
  - A snapshot is deleted only when no other image of the account uses it.
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  regions:
    description:
      - The regions to look at. Groups are counted in each region apart.
      - Without it, the one region that the session has.
    type: list
    elements: str
    default: []
  images:
    description:
      - Which images the policy is about. Others are left alone.
      - Globs know V(*) (any text) and V(?) (one character), as in EC2's own filters.
    type: dict
    default: {}
    suboptions:
      owner:
        description:
          - V(self) or an account's id.
          - Images of another account are reported as kept; they can't be removed.
        type: str
        default: self
      tags:
        description: Tags that an image must have, all of them. The values are globs.
        type: dict
        default: {}
      names:
        description: Globs, one of which an image's name must match.
        type: list
        elements: str
        default: []
  group_by:
    description:
      - Tags that make the groups which O(keep) counts in.
      - An image without one of these tags belongs to no group and is kept.
    type: list
    elements: str
    default: [app, stage]
  keep:
    description:
      - What to keep in each group. An image is kept if any of these rules keeps it.
      - A policy that keeps nothing is refused.
    type: dict
    required: true
    suboptions:
      newest:
        description: How many of the newest images to keep.
        type: int
      days:
        description: Images up to this age, in days, are kept.
        type: int
      count_in_use:
        description:
          - Whether images in use count among the O(keep.newest).
          - By default they don't, so that this many spare ones always remain.
        type: bool
        default: false
  exclude_tags:
    description: Images with one of these tags are kept. The values are globs.
    type: dict
    default: {}
  max_removals:
    description:
      - A run that would remove more images than this fails before its first removal.
    type: int
    default: 50
attributes:
  check_mode:
    description: Can run in check mode and return the same report as a real run, without changing anything.
    support: full
  diff_mode:
    description: Lists the images before and after.
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - >-
    Needs C(ec2:DescribeRegions), C(ec2:DescribeImages), C(ec2:DescribeImageAttribute), C(ec2:DescribeInstances),
    C(ec2:DescribeLaunchTemplates), C(ec2:DescribeLaunchTemplateVersions), C(autoscaling:DescribeAutoScalingGroups),
    C(autoscaling:DescribeLaunchConfigurations), C(ec2:DeregisterImage) and C(ec2:DeleteSnapshot). Launch templates that
    name their image by a parameter also need C(ssm:GetParameters).
seealso:
  - module: amazon.aws.ec2_ami
"""

EXAMPLES = r"""
- name: Keep the five newest images of each app and stage, and all that are in use
  immutable.ec2.ami_retention:
    keep:
      newest: 5

- name: Prune one app in two regions, but nothing younger than a month or marked to be kept
  immutable.ec2.ami_retention:
    regions: [eu-west-1, us-east-1]
    images:
      tags:
        app: shop
    keep:
      newest: 5
      days: 30
    exclude_tags:
      keep: "*"
  register: pruned

- name: Show why each image stays
  ansible.builtin.debug:
    msg: "{{ item.name }} stays: {{ item.reason }}"
  loop: "{{ pruned.kept }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
removed:
  description: The images that were removed (in check mode that would be), by region and group, newest first.
  returned: always
  type: list
  elements: dict
  contains: &entry
    id:
      description: The image's id.
      type: str
      sample: ami-0123456789abcdef0
    region:
      description: Its region.
      type: str
      sample: eu-west-1
    name:
      description: Its name, if it has one.
      type: str
      sample: shop-app-20260131-120000-0a1b2c3
    group:
      description: The values of the tags of O(group_by).
      type: dict
      sample: {app: shop, stage: app}
    created:
      description: When it was created, in ISO 8601.
      type: str
      sample: "2026-01-31T12:00:00+00:00"
    age_days:
      description: Its age in whole days.
      type: int
      sample: 41
    size_gib:
      description: The size of its snapshots' volumes. What they cost is at most this.
      type: int
      sample: 8
    rules:
      description:
        - Which rules keep it, of V(in_use), V(newest), V(days), V(excluded), V(foreign), V(state), V(undated),
          V(ungrouped), V(public), V(protected), V(max_removals) and V(failed); for a removed image V(unneeded).
      type: list
      elements: str
      sample: [in_use]
    reason:
      description: Why, in a sentence, with the names of what uses it.
      type: str
      sample: used by instance i-0123456789abcdef0 (running)
    snapshots_removed:
      description: The ids of its snapshots that were deleted with it.
      type: list
      elements: str
      sample: []
kept:
  description: The selected images that stay, and why, by region and group, newest first.
  returned: always
  type: list
  elements: dict
  contains: *entry
failed_images:
  description: The images that could not be removed, or only without a snapshot. The task fails if there are any.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The image's id.
      type: str
      sample: ami-0123456789abcdef0
    region:
      description: Its region.
      type: str
      sample: eu-west-1
    error:
      description: What AWS said.
      type: str
      sample: "Could not deregister the image ami-0123456789abcdef0: UnauthorizedOperation: You are not authorized."
unread:
  description: The places that could not be read, so that the images which they may name count as in use.
  returned: always
  type: list
  elements: dict
  contains:
    place:
      description:
        - V(images), V(instances), V(launch templates), V(launch configurations), V(Auto Scaling groups) or V(sharing).
      type: str
      sample: launch templates
    region:
      description: In this region.
      type: str
      sample: eu-west-1
    error:
      description: What AWS said.
      type: str
      sample: "Could not read the launch templates: UnauthorizedOperation: You are not authorized."
totals:
  description: The sums of the report.
  returned: always
  type: dict
  sample: {images: 12, removed: 5, kept: 7, failed: 0, snapshots_removed: 5, removed_gib: 40}
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients, connect
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import PolicyError, to_policy
from ansible_collections.immutable.ec2.plugins.module_utils.retention.report import to_diff, to_result
from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import run

ARGUMENTS: dict[str, t.Any] = {
    "regions": {"type": "list", "elements": "str", "default": []},
    "images": {
        "type": "dict",
        "default": {},
        "options": {
            "owner": {"type": "str", "default": "self"},
            "tags": {"type": "dict", "default": {}},
            "names": {"type": "list", "elements": "str", "default": []},
        },
    },
    "group_by": {"type": "list", "elements": "str", "default": ["app", "stage"]},
    "keep": {
        "type": "dict",
        "required": True,
        "options": {
            "newest": {"type": "int"},
            "days": {"type": "int"},
            "count_in_use": {"type": "bool", "default": False},
        },
    },
    "exclude_tags": {"type": "dict", "default": {}},
    "max_removals": {"type": "int", "default": 50},
}


def clients_of(params: dict[str, t.Any]) -> Clients:
    """The session's clients; where it has no region of its own, those of the first of the regions asked for."""
    try:
        return connect(params)
    except AwsError:
        if not params["regions"]:
            raise
        return connect({**params, "region": params["regions"][0]})


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params: dict[str, t.Any] = module.params
    try:
        policy = to_policy(params)
        done = run(clients_of(params), params["regions"], policy, params["max_removals"], check_mode=module.check_mode)
    except (PolicyError, AwsError) as error:
        module.fail_json(msg=str(error))
    result = to_result(done, params["group_by"])
    if module._diff:
        result["diff"] = to_diff(done.outcome)
    for unread in done.unread:
        place = f"{unread.place} of {unread.region}"
        module.warn(f"{place} could not be read; every image that they may name is kept. {unread.error}")
    if done.stopped:
        module.fail_json(msg=done.stopped, **result)
    if failures := done.outcome.failures:
        errors = "; ".join(f"{failure.image.id}: {failure.error}" for failure in failures)
        module.fail_json(
            msg=f"{len(failures)} of {len(failures) + len(result['removed'])} removals failed: {errors}", **result
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
