#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: environment_file
short_description: Read the file of an environment and check it
version_added: 0.1.0
description:
  - Reads C(environments/all.yml), where it exists, and C(environments/<env>.yml), and returns what they say together
    with the defaults. A key in the environment's own file wins; V(false) takes away a group that the shared file has,
    such as C(gates.analysis).
  - Unknown keys and wrong values are refused before anything else happens, all of them at once, each with its file and
    key, what is wrong and what is allowed. So are values that can't be together.
  - Calls nothing outside the controller.
options:
  env:
    description:
      - Name of the environment. Where it is empty, the message names the ones that exist.
    type: str
    default: ""
  shared:
    description:
      - Read C(environments/all.yml) alone, which may be absent, and no environment's own file; for what belongs to the
        app and not to an environment. O(env) is ignored then.
    type: bool
    default: false
  directory:
    description:
      - Folder that holds C(environments/). By default the folder in which C(ansible-playbook) was started.
    type: path
  overrides:
    description:
      - Keys that win over both files, checked like them.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what it would in a real run.
    support: full
  diff_mode:
    description: Returns what would be changed in C(diff) mode.
    support: none
    details:
      - It changes nothing.
  action:
    description: Runs on the controller.
    support: full
author:
  - The immutable.ec2 authors (@immutable-ec2)
"""

EXAMPLES = r"""
- name: Read the settings of staging
  immutable.ec2.environment_file:
    env: staging
  register: environment_file

- name: Read the settings of production, with another image
  immutable.ec2.environment_file:
    env: prod
    directory: /srv/ops
    overrides:
      image: 20260101-120000-0a1b2c3
"""

RETURN = r"""
settings:
  description: What the files say, completed with the defaults. Durations are in seconds; what has no default is null.
  returned: success
  type: dict
  sample:
    env: staging
    app: shop
    region: eu-west-1
    account: null
    role: null
    strategy: canary
    canary: [5, 25, 50]
    linear: null
    bake_time: 300
    image: newest
    capacity: {min: 2, max: 4}
    instance_type: t3.small
    instance_types: null
    spot: {share: 0, base: 0}
    warm_up: 0
    lifecycle_hooks: {launch: null, terminate: null}
    tags: {}
    health: {path: /up, deadline: 600}
    gates:
      alarms: []
      expected_alarms: []
      analysis: {max_error_ratio: 1.5, max_p95_ratio: 1.3, min_requests: 200, not_enough: wait}
      command: null
      approval: false
      deadline: 600
      approval_deadline: 86400
    rollback: at_once
    rollback_window: 3600
    inspect_window: 3600
    assets: auto
    assets_bucket: null
    lock_wait: 0
    accept_drift: false
    edge_may_skip: []
    stickiness: 0
    network: {vpc: null, subnets: null}
    certificate: null
    pipeline:
      repository: https://github.com/acme/shop
      connection: null
      branch: main
      app_dir: .
      channel: main
      collection: immutable.ec2
      build_image: public.ecr.aws/docker/library/debian:12
      build_size: small
      build_timeout: 7200
      schedule: rate(7 days)
      slack_secret: shop/slack-webhook
      keep_builds: 90
      validation_profile: true
files:
  description: Files that were read, relative to the folder that holds C(environments/).
  returned: success
  type: list
  elements: str
  sample: [environments/all.yml, environments/staging.yml]
"""
