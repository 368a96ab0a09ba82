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
  - Keeps the newest images of each group, and every image that anything uses; the others are deprecated, disabled and
    deregistered, in stages or at once, and their snapshots deleted.
  - Use is looked up in instances in any state but terminated, launch templates, launch configurations, Auto Scaling
    groups, EC2 fleets, spot fleets and spot requests, SSM parameters, CloudFormation stacks and their templates, Image
    Builder recipes, the ledgers of this collection's environments, launch permissions, and in AWS's own image
    references; in every region of O(regions) and every account of O(references.accounts).
  - What can't be looked up counts as used. Where a place can't be read, every image that it may name is kept, and
    RV(unread) says which place that was.
  - Use is looked up once more right before each image is touched.
  - Images that are pending, failed, disabled by somebody else, without a creation date, without one of the tags of
    O(group_by), or owned by another account are never touched.
  - A snapshot is deleted only when no other image of the account uses it, and no rule of the Recycle Bin may bring its
    image back. What is left of images removed earlier is deleted by a later run.
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  state:
    description:
      - V(pruned) applies the policy.
      - V(restored) brings the images of O(images) back, deprecated and disabled ones with the sharing that they had.
        With O(images.ids) or O(images.names) also those that a rule of the Recycle Bin has kept, whose tags nobody
        knows until they are back; what is in the bin has lost its sharing, unless it was written down before.
    type: str
    choices: [pruned, restored]
    default: pruned
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
      ids:
        description: Ids, one of which must be an image's.
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
      - A policy that keeps nothing (neither O(keep.newest) nor O(keep.days)) is refused.
    type: dict
    default: {}
    suboptions:
      newest:
        description: How many of the newest images that can be launched to keep.
        type: int
      days:
        description: Images up to this age, in days, are kept.
        type: int
      per_env_previous:
        description: How many releases before the last one deployed to keep of each environment, by its ledger.
        type: int
        default: 2
      count_in_use:
        description:
          - Whether images in use count among the O(keep.newest).
          - By default they don't, so that this many spare ones always remain.
        type: bool
        default: false
      lineage:
        description: Whether to keep the image that an image which stays was built from, by its tag C(base_image).
        type: bool
        default: true
      public:
        description: Whether to keep public images. Who uses one can't be looked up.
        type: bool
        default: true
      shared:
        description:
          - Whether to keep every image that another account may launch.
          - With V(false) one that is shared with accounts of O(references.accounts) alone is kept only if it is in use
            there; what is shared with anyone else is kept all the same.
        type: bool
        default: true
      protected:
        description:
          - Whether to keep images with deregistration protection. With V(false) it is lifted.
          - Where it has a cooldown, AWS refuses to deregister the image for another day.
        type: bool
        default: true
  copies:
    description:
      - Whether copies of one bake (equal tags C(app), C(stage) and C(release)) in several regions stay or go together.
        If one is kept, V(together) keeps all.
    type: str
    choices: [together, apart]
    default: together
  exclude_tags:
    description: Images with one of these tags are kept. The values are globs.
    type: dict
    default: {}
  stages:
    description:
      - How old an image that nothing keeps must be for each stage, such as V(30d), V(12h) or V(2w). Each must be later
        than the one before.
      - An image goes through one stage at a time, and stays in each at least for the time between its age and the next
        one's, however old it is. All but the last can be taken back with O(state=restored).
      - Without it an image that nothing keeps is deregistered at once.
    type: dict
    suboptions:
      deprecate_after:
        description: It is marked as deprecated. It can be launched as before, but is no longer found by others.
        type: str
      disable_after:
        description: Nothing can be launched from it, and it is shared with nobody. Its sharing is written down.
        type: str
      deregister_after:
        description: It is removed, with its snapshots.
        type: str
  max_removals:
    description:
      - A run that would disable or deregister more images than this fails before its first change.
    type: int
    default: 50
  references:
    description: Where to look for use, beside what is always looked at.
    type: dict
    default: {}
    suboptions:
      accounts:
        description:
          - ARNs of roles in other accounts which images are shared with. Each is assumed, and looked into in the same
            regions.
          - A role that can't be assumed is refused.
        type: list
        elements: str
        default: []
      ssm_parameters:
        description:
          - Names of SSM parameters, or paths that end in V(*), whose values may name images.
          - Parameters that hold nothing but an image's id are found by AWS's image references wherever they are.
        type: list
        elements: str
        default: []
      launch_template_versions:
        description:
          - How many of the newest versions of each launch template count, from 1 to 10000. The default and the latest
            version and those that anything launches from always do.
          - Without it all versions count.
        type: int
  concurrency:
    description: How many places of regions and accounts are read at the same time.
    type: int
    default: 8
  price_per_gb_month:
    description: What a GiB of snapshots costs a month, for the report.
    type: float
    default: 0.05
  report_json:
    description: A file to write the report to as JSON, on the host that the module runs on, in check mode too.
    type: path
  report_csv:
    description: A file to write the report to as CSV, on the host that the module runs on, in check mode too.
    type: path
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
  - The permissions that it needs lie beside the playbook C(prune), in C(playbooks/files/retention_permissions.json).
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

- name: Take what nobody needs out of use step by step, with use looked up in another account too
  immutable.ec2.ami_retention:
    regions: [eu-west-1, us-east-1]
    images:
      tags:
        app: shop
    group_by: [app, channel]
    keep:
      newest: 5
      days: 30
      per_env_previous: 2
    stages:
      deprecate_after: 30d
      disable_after: 60d
      deregister_after: 90d
    references:
      accounts: ["arn:aws:iam::123456789012:role/retention"]
      ssm_parameters: ["/shop/*"]

- name: Bring an image back
  immutable.ec2.ami_retention:
    state: restored
    images:
      ids: [ami-0123456789abcdef0]

- name: Show why each image stays
  ansible.builtin.debug:
    msg: "{{ item.name }} stays: {{ item.reason }}"
  loop: "{{ pruned.kept }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
removed:
  description: The images that were deregistered (in check mode that would be), by region and group, newest first.
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
        - Which rules keep it, of V(in_use), V(per_env_previous), V(newest), V(days), V(copy), V(excluded), V(foreign),
          V(state), V(undated), V(ungrouped), V(public), V(protected), V(waiting), V(max_removals) and V(failed); for an
          image that something happens to V(unneeded) or V(restored).
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
disabled:
  description: The images that were disabled.
  returned: always
  type: list
  elements: dict
  contains: *entry
deprecated:
  description: The images that were deprecated.
  returned: always
  type: list
  elements: dict
  contains: *entry
restored:
  description: The images that were brought back.
  returned: always
  type: list
  elements: dict
  contains: *entry
kept:
  description: The selected images that stay as they are, and why, by region and group, newest first.
  returned: always
  type: list
  elements: dict
  contains: *entry
orphaned_snapshots:
  description: Snapshots of images removed earlier that were deleted, or with C(error) could not be.
  returned: always
  type: list
  elements: dict
  sample: [{id: snap-0123456789abcdef0, region: eu-west-1, image: ami-0123456789abcdef0, size_gib: 8}]
table:
  description: The report as lines for a person.
  returned: always
  type: list
  elements: str
  sample: ["12 images: 5 removed, 7 kept; 40 GiB of snapshots go, at most 2.00 a month"]
failed_images:
  description: The images that a step failed for, or that left a snapshot behind. The task fails if there are any.
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
        - V(images), V(instances), V(launch templates), V(launch configurations), V(Auto Scaling groups), V(EC2 fleets),
          V(spot requests and spot fleets), V(SSM parameters), V(CloudFormation stacks), V(CloudFormation templates),
          V(environments' ledgers), V(Image Builder recipes), V(AWS's own image references), V(sharing), V(snapshots) or
          V(the Recycle Bin).
      type: str
      sample: launch templates
    region:
      description: In this region.
      type: str
      sample: eu-west-1
    account:
      description: In this account, if it is not the session's own.
      type: str
      sample: ""
    error:
      description: What AWS said.
      type: str
      sample: "Could not read the launch templates: UnauthorizedOperation: You are not authorized."
totals:
  description: The sums of the report.
  returned: always
  type: dict
  sample:
    images: 12
    kept: 7
    deprecated: 0
    disabled: 0
    removed: 5
    restored: 0
    failed: 0
    snapshots_removed: 5
    removed_gib: 40
    saved_per_month: 2.0
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.retention.files import table, write_all
from ansible_collections.immutable.ec2.plugins.module_utils.retention.observe.sources import to_survey
from ansible_collections.immutable.ec2.plugins.module_utils.retention.policy import PolicyError, to_policy
from ansible_collections.immutable.ec2.plugins.module_utils.retention.report import to_diff, to_result
from ansible_collections.immutable.ec2.plugins.module_utils.retention.runner import Run, run, run_back
from ansible_collections.immutable.ec2.plugins.module_utils.retention.words import Step

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.retention.model import Outcome

TEXTS: dict[str, t.Any] = {"type": "list", "elements": "str", "default": []}
ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["pruned", "restored"], "default": "pruned"},
    "regions": TEXTS,
    "images": {
        "type": "dict",
        "default": {},
        "options": {
            "owner": {"type": "str", "default": "self"},
            "tags": {"type": "dict", "default": {}},
            "names": TEXTS,
            "ids": TEXTS,
        },
    },
    "group_by": {"type": "list", "elements": "str", "default": ["app", "stage"]},
    "keep": {
        "type": "dict",
        "default": {},
        "options": {
            "newest": {"type": "int"},
            "days": {"type": "int"},
            "per_env_previous": {"type": "int", "default": 2},
            "count_in_use": {"type": "bool", "default": False},
            **{name: {"type": "bool", "default": True} for name in ("lineage", "public", "shared", "protected")},
        },
    },
    "copies": {"type": "str", "choices": ["together", "apart"], "default": "together"},
    "exclude_tags": {"type": "dict", "default": {}},
    "stages": {
        "type": "dict",
        "options": {name: {"type": "str"} for name in ("deprecate_after", "disable_after", "deregister_after")},
    },
    "max_removals": {"type": "int", "default": 50},
    "references": {
        "type": "dict",
        "default": {},
        "options": {
            "accounts": TEXTS,
            "ssm_parameters": TEXTS,
            "launch_template_versions": {"type": "int"},
        },
    },
    "concurrency": {"type": "int", "default": 8},
    "price_per_gb_month": {"type": "float", "default": 0.05},
    "report_json": {"type": "path"},
    "report_csv": {"type": "path"},
}


def one_run(params: dict[str, t.Any], check_mode: bool) -> Run:
    policy = to_policy(params)
    survey = to_survey(params)
    if params["state"] == "restored":
        return run_back(survey, policy, check_mode=check_mode)
    return run(survey, policy, params["max_removals"], check_mode=check_mode)


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params: dict[str, t.Any] = module.params
    try:
        done = one_run(params, module.check_mode)
    except (PolicyError, AwsError) as error:
        module.fail_json(msg=str(error))
    report = to_result(done, params["group_by"], params["price_per_gb_month"])
    result = report | {"table": table(report)} | ({"diff": to_diff(done.outcome)} if module._diff else {})
    for unread in done.unread:
        module.warn(f"{unread.where} could not be read; every image that it may name is kept. {unread.error}")
    try:
        write_all(report, params["report_json"], params["report_csv"])
    except OSError as error:
        module.fail_json(msg=f"The report can't be written: {error}; what was done stands in the result.", **result)
    if done.stopped:
        module.fail_json(msg=done.stopped, **result)
    if failed := failures_of(done.outcome):
        module.fail_json(msg=failed, **result)
    module.exit_json(**result)


def failures_of(outcome: Outcome) -> str:
    """What failed, in one line; nothing if all went well."""
    parts = []
    if failures := outcome.failures:
        errors = "; ".join(f"{failure.image.id}: {failure.error}" for failure in failures)
        taken = {one.image.id for one in outcome.decisions if one.step is not Step.KEEP}
        parts.append(f"{len(failures)} of {len(taken | {one.image.id for one in failures})} images failed: {errors}")
    if left := [one for one in outcome.orphans if one.error]:
        errors = "; ".join(f"{one.snapshot.id} of {one.image_id}: {one.error}" for one in left)
        parts.append(f"{len(left)} snapshots of images removed earlier are left: {errors}")
    return "; ".join(parts)


if __name__ == "__main__":
    main()
