#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: blue_green_info
short_description: What an environment serves, from which colour, with which weights
version_added: 0.1.0
description:
  - Reads an environment's edge and colours from AWS, and nothing else.
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  app:
    description: The app's name.
    type: str
    required: true
  env:
    description: The environment's name. Its edge, the stack C(<app>-<env>-edge), must exist.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.blue_green
author:
  - The immutable.ec2 authors (@immutable-ec2)
"""

EXAMPLES = r"""
- name: What does prod serve?
  immutable.ec2.blue_green_info:
    app: shop
    env: prod
  register: prod
"""

RETURN = r"""
environment:
  description: The environment as AWS shows it.
  returned: success
  type: dict
  contains:
    edge:
      description: The edge's stack, its status and the address of its load balancer.
      type: dict
      sample: {stack: shop-prod-edge, status: UPDATE_COMPLETE, url: "https://shop.example.com/"}
    live:
      description: The colour that serves, if one serves alone.
      type: str
      sample: green
    weights:
      description: Colour to weight, as the listener has them.
      type: dict
      sample: {blue: 0, green: 100}
    swapped_at:
      description: When traffic was last shifted, ISO 8601, UTC.
      type: str
    colours:
      description:
        - Colour to release, image, stack status, numbers of servers (desired, min, max, healthy) and when it was made,
          or nothing where there is no such stack.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import observe
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import environment_facts
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment


def main() -> None:
    own = {"app": {"type": "str", "required": True}, "env": {"type": "str", "required": True}}
    module = AnsibleModule({**aws_argument_spec(), **own}, supports_check_mode=True)
    try:
        seen = observe(connect(module.params), Environment(module.params["app"], module.params["env"]))
    except (AwsError, Refused) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, environment=environment_facts(seen))


if __name__ == "__main__":
    main()
