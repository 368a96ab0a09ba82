#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: blue_green
short_description: Deploy a release of an app blue-green on EC2, roll it back, retire the old colour
version_added: 0.1.0
description:
  - Brings one environment of an app to the wanted state and returns when it is there.
  - Run again after a crash, it goes on where it stopped.
  - For O(state=deployed) the idle colour is made from the image as a CloudFormation stack of its own, waited for until
    every server is healthy, given all traffic by an update of the edge's weights, and proven by requests through the
    load balancer, each of which names its release in the header C(X-Release).
  - The old colour stays as it is until it is retired, so that turning back is one shift of traffic.
  - Runs on the controller and shows its progress while it works.
attributes:
  action:
    description: Runs on the controller, where its progress can be shown.
    support: full
  check_mode:
    description: Says what would be done and changes nothing.
    support: full
  diff_mode:
    description: Shows both colours with their weights, before and after.
    support: full
options:
  state:
    description:
      - V(deployed), the release serves all traffic.
      - V(rolled_back), the colour from before the last deployment serves all traffic again.
      - V(retired), the idle colour is gone, once its rollback window has passed.
    type: str
    choices: [deployed, rolled_back, retired]
    default: deployed
  app:
    description: The app's name, which prefixes everything that belongs to it.
    type: str
    required: true
  env:
    description: The environment's name. Its edge, the stack C(<app>-<env>-edge), must exist.
    type: str
    required: true
  image:
    description: What to deploy, V(newest), a release (its bake id), or the id of an image of this app.
    type: str
    default: newest
  capacity:
    description:
      - How many servers a colour has.
      - A new colour starts with as many as the live one wants at that moment, within these bounds.
    type: dict
    default: {min: 2, max: 4}
    suboptions:
      min:
        description: The least number of servers, at least 1.
        type: int
        required: true
      max:
        description: The greatest number of servers.
        type: int
        required: true
  instance_type:
    description: The servers' type. Changing it is a deployment.
    type: str
    default: t3.small
  colour_template:
    description: The path of the colour's CloudFormation template on the controller. Required for O(state=deployed).
    type: path
  launch:
    description: Further parameters of the colour's template. Changing one is a deployment.
    type: dict
    default: {}
  health:
    description: How a colour is judged.
    type: dict
    default: {}
    suboptions:
      path:
        description: What is asked for to see which release answers.
        type: str
        default: /up
      deadline:
        description: Seconds that a new colour has to become healthy. After that no traffic is shifted.
        type: int
        default: 600
  rollback_window:
    description: Seconds that the old colour stays warm after a swap before O(state=retired) removes it.
    type: int
    default: 3600
  immediate:
    description: Retire without waiting for the rollback window.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.blue_green_info
author:
  - The immutable.ec2 authors (@immutable-ec2)
"""

EXAMPLES = r"""
- name: Deploy the newest image to staging
  immutable.ec2.blue_green:
    app: shop
    env: staging
    capacity: {min: 2, max: 4}
    colour_template: files/colour.yml

- name: Promote the release that staging runs to prod
  immutable.ec2.blue_green:
    app: shop
    env: prod
    image: 20261123-204512-ab12cd3
    capacity: {min: 4, max: 12}
    colour_template: files/colour.yml

- name: Turn back
  immutable.ec2.blue_green:
    app: shop
    env: prod
    state: rolled_back

- name: Remove the old colour, if its rollback window has passed
  immutable.ec2.blue_green:
    app: shop
    env: prod
    state: retired
    rollback_window: 3600
"""

RETURN = r"""
result:
  description:
    - How the run ended, V(deployed), V(rolled_back), V(retired), V(nothing_to_do), V(aborted) where a check failed and
      traffic stayed as it was, or V(dirty) where a person must look. In check mode, how it would end.
  returned: always
  type: str
  sample: deployed
reason:
  description: Why it ended so, in one line.
  returned: always
  type: str
  sample: 20261123-204512-ab12cd3 serves all traffic from green
steps:
  description: What was done, in order, or in check mode what would be done.
  returned: always
  type: list
  elements: dict
  contains:
    step:
      description: The step.
      type: str
    reason:
      description: Why it was taken.
      type: str
proven:
  description: Whether requests through the load balancer showed the result. False where it can't be reached.
  returned: always
  type: bool
live:
  description: The colour that serves, if one serves alone.
  returned: always
  type: str
release:
  description: The release that the live colour holds.
  returned: always
  type: str
environment:
  description: The environment as RV(immutable.ec2.blue_green_info#module:environment).
  returned: always
  type: dict
seconds:
  description: How long the run took.
  returned: always
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import entry
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused


def main() -> None:
    """The same engine as the action plugin's, where only a module can run; its progress is returned, not shown."""
    module = AnsibleModule(entry.argument_spec(), required_if=entry.REQUIRED_IF, supports_check_mode=True)
    progress: list[str] = []
    try:
        facts = entry.run(module.params, module.check_mode, progress.append)
    except (AwsError, Refused) as error:
        module.fail_json(msg=str(error), progress=progress)
    module.exit_json(**facts, progress=progress)


if __name__ == "__main__":
    main()
