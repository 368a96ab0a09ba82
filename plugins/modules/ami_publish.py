#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_publish
version_added: "0.1.0"
short_description: Publish a release's image once a server has booted from it, or withdraw it
description:
  - Boots a server from a new image with a key of its own and runs the image's tests on it. Where the config store has
    the env V(validation), the server gets its configuration, the app is started and its smoke command is run; without
    that env RV(validation.app_started) says that the app was not started.
  - Only then is the image copied to other regions, shared, made to require IMDSv2, given a date from which it is
    deprecated, marked as published, and named by the channel's pointer.
  - The pointer is the Parameter Store entry C(/immutable/<app>/channels/<channel>) of each region. Its value is the
    release, its history what the channel named before.
  - An image whose validation fails stays unpublished. It is tagged with the cause, the pointer stays where it is, and
    the task's error holds the server's last log lines in RV(lines).
  - Server, key pair and security group are removed in every case. What a run that was killed left is removed by the
    next run for the app.
  - A run that was killed, or met an error of AWS, is resumed by the same task. What is done already is not done again.
  - With O(state=withdrawn) the channel names the release before again, if it named this one, and V(newest) of a
    deployment passes the release over.
attributes:
  check_mode:
    description: Reads only, and returns the steps that would be taken. That the validation passes is assumed.
    support: full
  diff_mode:
    description: Shows each region's image and pointer before and after.
    support: full
options:
  state:
    description: What shall become of the release.
    type: str
    choices: [published, withdrawn]
    default: published
  app:
    description: The app's name.
    type: str
    required: true
  release:
    description: The release, by its bake id. Its image is named C(<app>-<stage>-<release>) in each region.
    type: str
    required: true
  stage:
    description: Which image, V(app) or V(base). A base image holds no app.
    type: str
    choices: [base, app]
    default: app
  channel:
    description: The channel whose pointer is moved. An empty one moves none.
    type: str
    default: main
  regions:
    description: Further regions, which get a copy. The image is in the region of the task itself.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - Accounts that may launch the image, by their ids.
      - Who may launch it already is left alone.
    type: list
    elements: str
    default: []
  organizations:
    description: The same for organizations and organizational units, by their ARNs.
    type: list
    elements: str
    default: []
  kms_keys:
    description:
      - The KMS key of each region with which its copy is encrypted. Without one a copy is as the original is.
      - An image that is encrypted with a region's default key can't be shared.
    type: dict
    default: {}
  deprecate_after_days:
    description: Days after which the image is deprecated, from the day it was made. V(0) for never.
    type: int
    default: 180
  tags:
    description: Further tags of the images.
    type: dict
    default: {}
  validate_image:
    description: Whether a server is booted and tested. An image that has passed is not tested again.
    type: bool
    default: true
  validation:
    description: How a server of the image is booted and looked at.
    type: dict
    default: {}
    suboptions:
      instance_type:
        description: The server's type.
        type: str
        default: t3.small
      subnet_id:
        description: The server's subnet. Without it, one of the default network.
        type: str
        default: ""
      ssh_interface:
        description: How the server is reached from here.
        type: str
        choices: [public_ip, private_ip, public_dns, private_dns]
        default: public_ip
      ssh_username:
        description: Login user of the image.
        type: str
        default: admin
      ssh_sources:
        description: Networks that may reach the server's SSH port while it is there. Only its key opens it.
        type: list
        elements: str
        default: ["0.0.0.0/0"]
      tests:
        description:
          - Files and folders of tests for pytest with testinfra, which must be installed beside Ansible (C(pip install
            pytest-testinfra)). They get the server as C(host), and whether the app runs in the environment variable
            C(IMMUTABLE_APP_STARTED) (V(yes) or V(no)).
        type: list
        elements: path
        default: []
      env:
        description: The env whose configuration the server gets, if Parameter Store has any under C(/<app>/<env>/).
        type: str
        default: validation
      instance_profile:
        description: The server's instance profile, which may read that configuration. V(<app>-<env>) unless set.
        type: str
        default: ""
      health_path:
        description: What the app must answer with 200.
        type: str
        default: /up
      smoke_command:
        description:
          - A shell command that is run on the server in the app's folder, as its user and with its configuration. The
            app's address is in the environment variable C(URL). It must succeed.
        type: str
        default: ""
      deadline:
        description: Seconds that all of it may take, from the launch on.
        type: int
        default: 900
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - The permissions that it needs are in the role M(immutable.ec2.environment), C(files/permissions/bake.json).
seealso:
  - module: immutable.ec2.blue_green
  - module: immutable.ec2.ami_retention
author:
  - The immutable.ec2 authors (@immutable-ec2)
"""

EXAMPLES = r"""
- name: Publish a release in two regions
  immutable.ec2.ami_publish:
    app: shop
    release: 20260102-114500-a1b2c3d
    region: eu-west-1
    regions: [us-east-1]
    validation:
      smoke_command: bin/smoke

- name: Let another account launch it
  immutable.ec2.ami_publish:
    app: shop
    release: 20260102-114500-a1b2c3d
    accounts: ["210987654321"]

- name: Let the channel name the release before again
  immutable.ec2.ami_publish:
    app: shop
    release: 20260102-114500-a1b2c3d
    regions: [us-east-1]
    state: withdrawn
"""

RETURN = r"""
result:
  description: V(published), V(withdrawn), or V(nothing_to_do). In check mode, what it would be.
  returned: success
  type: str
  sample: published
reason:
  description: The same for a person, in one line.
  returned: success
  type: str
  sample: "release 20260102-114500-a1b2c3d of shop is published: channel main names it in eu-west-1, us-east-1"
release:
  description: The release.
  returned: success
  type: str
  sample: 20260102-114500-a1b2c3d
images:
  description: The ids of its images by region.
  returned: success
  type: dict
  sample: {eu-west-1: ami-0123456789abcdef0, us-east-1: ami-0fedcba9876543210}
previous:
  description: The release that the channel named before, empty if it named none.
  returned: success
  type: str
  sample: 20251230-090000-0f1e2d3
pointer:
  description: What the channel names now, by region.
  returned: success
  type: dict
  sample: {eu-west-1: 20260102-114500-a1b2c3d}
validation:
  description: What the image has shown, null where no server was booted from it.
  returned: success
  type: dict
  contains:
    result:
      description: V(passed) or V(failed).
      type: str
      sample: passed
    app_started:
      description: Whether the app ran. False where there is no env V(validation).
      type: bool
      sample: true
    reason:
      description: What was shown, in one line.
      type: str
      sample: a server booted and took a login; the app answered /up; 9 tests passed; its smoke command succeeded
steps:
  description: What was done, in order, or in check mode what would be done.
  returned: success
  type: list
  elements: dict
  contains:
    step:
      description: The step.
      type: str
      sample: copy the image to us-east-1
    reason:
      description: Why it was taken.
      type: str
      sample: there is none yet
lines:
  description: The last lines that the server wrote, the oldest first.
  returned: when the validation failed
  type: list
  elements: str
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 58.3
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing import entry
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed


def main() -> None:
    """The same engine as the action plugin's, where only a module can run; its progress is returned, not shown."""
    module = AnsibleModule(entry.argument_spec(), supports_check_mode=True)
    progress: list[str] = []
    try:
        facts = entry.run(module.params, module.check_mode, progress.append)
    except ValidationFailed as failure:
        module.fail_json(msg=str(failure), lines=failure.lines, progress=progress)
    except (AwsError, PublishError) as error:
        module.fail_json(msg=str(error), progress=progress)
    module.exit_json(**facts, progress=progress)


if __name__ == "__main__":
    main()
