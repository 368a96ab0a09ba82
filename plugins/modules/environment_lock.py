#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_lock
short_description: Hold an environment's deployment lock over several tasks
version_added: 0.1.0
description:
  - Takes the lock that a deployment takes, so that nobody deploys while tasks change the environment's edge, or gives
    it back.
  - It is refused while somebody else has the lock, and while a deployment has not ended, even if nobody works on it.
  - Whoever meets the lock, such as a deployment, is told who holds it, what for and since when.
  - The lock ends by itself when its lease is over, so that a run that was killed holds nobody up for longer.
attributes:
  check_mode:
    description: Looks whether the lock could be taken, and takes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  state:
    description: V(held) takes the lock, V(released) gives it back.
    type: str
    choices: [held, released]
    default: held
  ledger:
    description: Name of the environment's ledger, the output C(LedgerTableName) of its edge.
    type: str
    required: true
  token:
    description: What the task that took the lock has returned. Needed to give it back.
    type: str
  what:
    description: What is done under the lock, for those who meet it.
    type: str
    default: updates the edge
  lease:
    description: Seconds after which the lock ends by itself. It should cover all that is done under the lock.
    type: int
    default: 900
  lock_wait:
    description: Seconds to wait for somebody else who holds the lock. With V(0) the task is refused at once.
    type: int
    default: 0
  role:
    description: The ARN of a role that is assumed for all calls.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.blue_green
  - module: immutable.ec2.blue_green_info
author:
  - The immutable.ec2 authors (@immutable-ec2)
"""

EXAMPLES = r"""
- name: Change the edge while nobody deploys
  block:
    - name: Take the lock
      immutable.ec2.environment_lock:
        ledger: "{{ edge.stack_outputs.LedgerTableName }}"
        what: changes the edge's topic
      register: lock

    - name: Change it
      ansible.builtin.include_tasks: change.yml
  always:
    - name: Give the lock back
      immutable.ec2.environment_lock:
        state: released
        ledger: "{{ lock.ledger }}"
        token: "{{ lock.token }}"
      when: lock.token is defined
"""

RETURN = r"""
token:
  description: What gives the lock back.
  returned: when the lock was taken
  type: str
  sample: 12.5f1c9a0be3d47286
ledger:
  description: The ledger whose lock it is.
  returned: when the lock was taken
  type: str
  sample: shop-prod-edge-Ledger-1A2B3C
until:
  description: When the lock ends by itself, ISO 8601, UTC.
  returned: when the lock was taken
  type: str
  sample: "2026-11-23T21:00:12+00:00"
"""

from datetime import timedelta

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger import tasks
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.holder import name
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.ledger.ledger import Ledger


def main() -> None:
    own = {
        "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
        "ledger": {"type": "str", "required": True},
        "token": {"type": "str", "no_log": True},
        "what": {"type": "str", "default": "updates the edge"},
        "lease": {"type": "int", "default": 900},
        "lock_wait": {"type": "int", "default": 0},
        "role": {"type": "str"},
    }
    module = AnsibleModule(
        {**aws_argument_spec(), **own}, required_if=[("state", "released", ["token"])], supports_check_mode=True
    )
    given = module.params
    lease, patience = timedelta(seconds=given["lease"]), timedelta(seconds=given["lock_wait"])
    try:
        ledger = Ledger(connect(given), given["ledger"], name(lasting=False), lease)
        if given["state"] == "released":
            if not module.check_mode:
                tasks.give_back(ledger, given["token"])
            module.exit_json(changed=True)
        if module.check_mode:
            tasks.look(ledger)
            module.exit_json(changed=True)
        held = tasks.take(ledger, given["what"], patience, module.warn)
    except LeaseLost as lost:
        module.warn(f"{lost.why}; what was done since then was done without the lock")
        module.exit_json(changed=False)
    except (AwsError, Refused) as error:
        module.fail_json(msg=str(error))
    lock = {"token": tasks.token(ledger.mine), "ledger": given["ledger"], "until": held.lease.until.isoformat()}
    module.exit_json(changed=True, **lock)


if __name__ == "__main__":
    main()
