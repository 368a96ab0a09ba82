#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: blue_green_info
short_description: What an environment serves, from which colour, what is under way, and what was deployed
version_added: 0.1.0
description:
  - Reads an environment's edge, colours and ledger from AWS, and nothing else.
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
  role:
    description: The ARN of a role that is assumed for all calls.
    type: str
  rollback_window:
    description: Seconds that the old colour stays warm after a swap, as in M(immutable.ec2.blue_green).
    type: int
    default: 3600
  inspect_window:
    description: Seconds that a colour that was turned back stays, as in M(immutable.ec2.blue_green).
    type: int
    default: 3600
  history:
    description: How many of the last deployments are returned.
    type: int
    default: 10
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
      description: Colour to what it holds, or nothing where there is no such stack.
      type: dict
      contains:
        release:
          description: The release.
          type: str
        image:
          description: Its image.
          type: str
        status:
          description: The stack's status.
          type: str
        desired:
          description: How many servers the group wants.
          type: int
        min:
          description: The least number of servers.
          type: int
        max:
          description: The greatest number of servers.
          type: int
        healthy:
          description: How many servers take traffic or could.
          type: int
        created_at:
          description: When the stack was made.
          type: str
        since:
          description: Since when it serves, or when it was made.
          type: str
        by:
          description: Who deployed it, if the history still knows.
          type: str
        window_left:
          description: Seconds that the idle colour stays yet. Nothing for the live one.
          type: int
        turned_back:
          description: Whether the idle colour was turned back, so that it stays for inspection and not for a rollback.
          type: bool
    deployment:
      description:
        - The deployment or rollback that was begun and has not ended (id, kind, release, image, colour,
          previous_release, strategy, by, started_at, turned_back, abort_by, approved_by), or nothing.
      type: dict
    lock:
      description: Who may change the environment now (holder, what, since, until, expired), or nothing.
      type: dict
    guard:
      description: What the guard is told to do when an alarm fires, or did (deployment, armed, safe, alarms, fired_at,
        fired_by), or nothing.
      type: dict
history:
  description: The last deployments that have ended, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The deployment's id, which begins with its time.
      type: str
      sample: 20261123-204512-3f9a
    kind:
      description: V(deploy) or V(rollback).
      type: str
    release:
      description: What was deployed.
      type: str
    image:
      description: Its image.
      type: str
    colour:
      description: Where it went.
      type: str
    previous_release:
      description: What served before.
      type: str
    strategy:
      description: How traffic was shifted.
      type: str
    by:
      description: Who deployed.
      type: str
    started_at:
      description: When it began, ISO 8601, UTC.
      type: str
    ended_at:
      description: When it ended.
      type: str
    took:
      description: How long that was.
      type: str
    result:
      description: How it ended.
      type: str
    reason:
      description: Why it ended so.
      type: str
"""

from datetime import timedelta

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.holder import name
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.observe import Observer
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.report import environment_facts, history_facts
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment


def main() -> None:
    own = {
        "app": {"type": "str", "required": True},
        "env": {"type": "str", "required": True},
        "role": {"type": "str"},
        "rollback_window": {"type": "int", "default": 3600},
        "inspect_window": {"type": "int", "default": 3600},
        "history": {"type": "int", "default": 10},
    }
    module = AnsibleModule({**aws_argument_spec(), **own}, supports_check_mode=True)
    try:
        clients = connect(module.params)
        environment = Environment(module.params["app"], module.params["env"])
        observer = Observer(clients, environment, lambda table: Ledger(clients, table, name()))
        seen = observer.everything()
        records = observer.ledger.history(module.params["history"])
    except (AwsError, Refused) as error:
        module.fail_json(msg=str(error))
    window, inspect = (timedelta(seconds=module.params[name]) for name in ("rollback_window", "inspect_window"))
    facts = environment_facts(seen, clock.now(), window, inspect, records)
    module.exit_json(changed=False, environment=facts, history=history_facts(records))


if __name__ == "__main__":
    main()
