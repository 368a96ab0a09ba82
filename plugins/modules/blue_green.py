#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: blue_green
short_description: Deploy a release of an app blue-green on EC2, turn it back, retire the old colour, end a deployment
version_added: 0.1.0
description:
  - Brings one environment of an app to the wanted state and returns when it is there.
  - For O(state=deployed) the idle colour is made from the image as a CloudFormation stack of its own and waited for
    until every server is healthy. Traffic is shifted to it by updates of the edge's weights, in the steps of
    O(strategy); each shift is seen in requests through the load balancer, of which each names its release in the header
    C(X-Release), and watched for O(bake_time).
  - Before a colour is made, the config stores are held against the declaration that the image carries, and the versions
    that the colour's servers read are settled. M(immutable.ec2.config_check) does the first alone.
  - Where a gate of O(gates) fails, all traffic goes back to the colour that served, at once. The guard in the edge does
    so on an alarm, even where this run is dead.
  - Run again after a crash, it goes on where it stopped. One run at a time changes an environment; it holds a lease in
    the edge's ledger.
  - The old colour stays as it is until it is retired, so that turning back is one shift of traffic.
  - Runs on the controller and shows its progress while it works.
  - The arguments are the keys of an environment's file, as M(immutable.ec2.environment_file) returns them, and follow
    its rules; all mistakes are told at once, before the first call to AWS.
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
      - V(deployed), the release serves all traffic. An old colour whose rollback window has passed is retired on the
        way.
      - V(rolled_back), the colour from before the last deployment serves all traffic again. Where it is gone already,
        the release from before is deployed anew.
      - V(retired), the idle colour is gone, once its window has passed.
      - V(aborted), no deployment is under way. One that is, another controller's too, ends with all traffic where it
        was before.
    type: str
    choices: [deployed, rolled_back, retired, aborted]
    default: deployed
  app:
    description: The app's name, which prefixes everything that belongs to it.
    type: str
    required: true
  env:
    description: The environment's name. Its edge, the stack C(<app>-<env>-edge), must exist.
    type: str
    required: true
  account:
    description: The account that the environment is in. Credentials of another one are refused before the first write.
    type: str
  role:
    description: The ARN of a role that is assumed for all calls.
    type: str
  image:
    description:
      - What to deploy, V(newest) (of the published images), V(channel:main) (what that channel's pointer names), a
        release (its bake id), or the id of an image of this app.
      - A release that is not published is refused. One that was withdrawn is deployed only if it is named itself.
    type: str
    default: newest
  capacity:
    description:
      - How many servers a colour has.
      - A new colour starts with as many as the live one wants at that moment, within these bounds. Until the deployment
        ends, neither colour falls below the highest number that the live one wanted since it began.
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
  instance_types:
    description:
      - At most five types of which servers may be, the best first. Wins over O(instance_type). Changing it is a
        deployment.
    type: list
    elements: str
  spot:
    description: Which of the servers are spot ones. Changing it is a deployment.
    type: dict
    default: {}
    suboptions:
      share:
        description: Percent of the servers that are spot ones, of those beyond O(spot.base).
        type: int
        default: 0
      base:
        description: So many servers are on demand before any is a spot one.
        type: int
        default: 0
  warm_up:
    description: Seconds after which a new server's load counts for scaling. With V(0) it is the group's cooldown.
      Changing it is a deployment.
    type: int
    default: 0
  lifecycle_hooks:
    description:
      - Hooks of the Auto Scaling group, in which something else, told by EventBridge, works on a server while it waits.
        Changing them is a deployment.
    type: dict
    default: {}
    suboptions:
      launch:
        description: A hook before a new server counts. Without it there is none.
        type: dict
        suboptions:
          timeout:
            description: Seconds that the server waits to be completed.
            type: int
            default: 300
          result:
            description: What becomes of a server that nothing completes.
            type: str
            choices: [abandon, continue]
            default: abandon
      terminate:
        description: A hook before a leaving server goes. Without it there is none.
        type: dict
        suboptions:
          timeout:
            description: Seconds that the server waits to be completed.
            type: int
            default: 300
          result:
            description: Whether other hooks still run after one that nothing completes.
            type: str
            choices: [abandon, continue]
            default: continue
  tags:
    description:
      - Further tags of a colour's stack, its group and its servers. The keys have no spaces and no slashes, since
        servers read them from their metadata. Changing them is a deployment.
    type: dict
    default: {}
  colour_template:
    description:
      - The path of the colour's CloudFormation template on the controller.
      - Required for O(state=deployed), and for O(state=rolled_back) where the old colour is gone.
    type: path
  launch:
    description:
      - Further parameters of the colour's template. Changing one is a deployment. Those that other arguments set are
        refused.
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
  strategy:
    description:
      - V(all_at_once), one shift of all traffic.
      - V(canary), the shares of O(canary), then all traffic.
      - V(linear), the same share of the traffic more with each shift.
    type: str
    choices: [all_at_once, canary, linear]
    default: all_at_once
  canary:
    description: Percent of the traffic after each shift, from 1 to 99, rising. 100 is implied. [5, 25, 50] unless set.
    type: list
    elements: int
  linear:
    description: Percent of the traffic that each shift adds, from 1 to 99. 20 unless set.
    type: int
  bake_time:
    description:
      - Seconds that each shift is watched, the last one too, before the next. 300 unless set, with
        O(strategy=all_at_once) 0.
      - With O(gates.analysis) at least 180, since the load balancer's metrics come once a minute.
    type: int
  gates:
    description: What lets a deployment go on, or turns it back, beside the health of its servers.
    type: dict
    default: {}
    suboptions:
      alarms:
        description: Names of CloudWatch alarms that must not be in ALARM; those that the edge makes are always among
          them.
        type: list
        elements: str
        default: []
      expected_alarms:
        description: Names of alarms that may be in ALARM before a deployment starts. Another one refuses it.
        type: list
        elements: str
        default: []
      analysis:
        description: Compares the two colours by the load balancer's metrics while both serve. Without it there is no
          such gate.
        type: dict
        suboptions:
          max_error_ratio:
            description: The new colour's error rate may be so many times the live colour's.
            type: float
            default: 1.5
          max_p95_ratio:
            description: The new colour's 95th percentile of response times may be so many times the live colour's.
            type: float
            default: 1.3
          min_requests:
            description: Each colour must have had so many requests to be compared.
            type: int
            default: 200
          not_enough:
            description: What fewer requests mean at the end of a bake time. V(wait) waits for more, until
              O(gates.approval_deadline).
            type: str
            choices: [wait, pass, fail]
            default: wait
      command:
        description: A check of your own that runs on the controller before any traffic. Without it there is no such
          gate.
        type: dict
        suboptions:
          name:
            description: What it is called in the progress.
            type: str
            default: command
          run:
            description:
              - The command line. C({{ preview_url }}) in it is the address of the preview; C(PREVIEW_URL),
                C(PREVIEW_HEADER) and C(PREVIEW_SECRET) are in its environment. Every status but 0 fails.
            type: str
            required: true
          timeout:
            description: Seconds that it may take.
            type: int
            default: 300
      approval:
        description:
          - Whether a person must say go, with O(approve), before all traffic is shifted.
        type: bool
        default: false
      deadline:
        description: Seconds that a gate may be unreadable before it fails.
        type: int
        default: 600
      approval_deadline:
        description: Seconds that a person, or enough requests, are waited for.
        type: int
        default: 86400
  approve:
    description: The id of a deployment that waits for a person, who herewith says go. For O(state=deployed).
    type: str
  refresh:
    description:
      - With V(config), a release that serves already is deployed again if the config stores hold other versions than
        the live colour reads. For O(state=deployed).
      - Without it, what is in the stores is no reason to deploy. A colour that is made for another reason reads what is
        there when it is made.
    type: str
    choices: [config]
  rollback:
    description: Whether O(state=rolled_back) shifts all traffic at once, or in the steps of O(strategy).
    type: str
    choices: [at_once, in_steps]
    default: at_once
  rollback_window:
    description: Seconds that the old colour stays warm after a swap before it is retired.
    type: int
    default: 3600
  inspect_window:
    description: Seconds that a colour which was turned back stays to be looked at.
    type: int
    default: 3600
  immediate:
    description: Retire without waiting for the window, or roll back without steps. For O(state=retired) and
      O(state=rolled_back).
    type: bool
    default: false
  assets:
    description:
      - Where the digested assets of a release are found while the other colour is asked for them.
      - V(bucket) refuses a release whose assets are not in the bucket, and lets servers fetch from there what they
        lack.
      - V(auto) is V(bucket) where there is a bucket; where there is none, it says so and goes on.
      - With V(cdn) the bucket is the origin of a CDN, so servers fetch nothing; a release whose assets are not in it is
        refused.
      - V(none) does without.
    type: str
    choices: [auto, bucket, cdn, none]
    default: auto
  assets_bucket:
    description: The bucket. Default is C(<app>-artifacts-<account>-<region>), which the pipeline's stack makes.
    type: str
  lock_wait:
    description: Seconds to wait for another controller that changes this environment. With V(0) the run is refused at
      once.
    type: int
    default: 0
  accept_drift:
    description: Whether to go on where the edge's weights or rules were changed by hand.
    type: bool
    default: false
  edge_may_skip:
    description: Logical ids of the edge's resources that may be left out when an update that is stuck is continued.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.blue_green_info
  - module: immutable.ec2.environment_file
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

- name: Deploy in steps, each watched for five minutes
  immutable.ec2.blue_green:
    app: shop
    env: prod
    capacity: {min: 4, max: 12}
    colour_template: files/colour.yml
    strategy: canary
    canary: [5, 25, 50]
    bake_time: 300
    gates:
      alarms: [prod-5xx, prod-latency]
      analysis: {min_requests: 500}
      approval: true

- name: Say go to the deployment that waits
  immutable.ec2.blue_green:
    app: shop
    env: prod
    capacity: {min: 4, max: 12}
    colour_template: files/colour.yml
    approve: 20261123-204512-3f9a

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

- name: End the deployment that is under way
  immutable.ec2.blue_green:
    app: shop
    env: prod
    state: aborted
"""

RETURN = r"""
result:
  description:
    - How the run ended, V(deployed), V(rolled_back), V(retired), V(aborted), V(nothing_to_do), or V(dirty) where a
      person must look, as RV(reason) says. In check mode, how it would end.
    - A deployment that ended V(rolled_back), because a gate failed or the guard fired, and one that ended V(aborted),
      before the new colour had traffic or because a person asked, fail the task; all traffic is on the colour that
      served before.
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

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import entry
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.arguments import REQUIRED_IF, argument_spec
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused


def main() -> None:
    """The same engine as the action plugin's, where only a module can run; its progress is returned, not shown."""
    module = AnsibleModule(argument_spec(), required_if=REQUIRED_IF, supports_check_mode=True)
    progress: list[str] = []
    try:
        facts = entry.run(module.params, module.check_mode, progress.append)
    except (AwsError, LeaseLost, Refused) as error:
        module.fail_json(msg=str(error), progress=progress)
    module.exit_json(**facts, progress=progress)


if __name__ == "__main__":
    main()
