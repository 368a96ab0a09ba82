#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: config_check
short_description: Whether an environment's config stores hold what a release declares
version_added: 0.1.0
description:
  - Reads the declaration that a release's image carries in its tags, and all of its sources as a server would, and
    fails where a server of that release would not start the app.
  - M(immutable.ec2.blue_green) does the same before it makes a colour.
  - Values are read, to be held against types and patterns, and are in no output.
  - Runs on the controller, with its own credentials. For Vault it logs in with them too, or takes the token in the
    environment variable E(VAULT_TOKEN).
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
    description: The environment's name.
    type: str
    required: true
  image:
    description: Which release, V(newest), its bake id, or the id of its image.
    type: str
    default: newest
  role:
    description: The ARN of a role that is assumed for all calls.
    type: str
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
- name: Could prod serve the newest release?
  immutable.ec2.config_check:
    app: shop
    env: prod
"""

RETURN = r"""
release:
  description: The release whose declaration was held against the stores.
  returned: success
  type: str
keys:
  description: What the app would get, by key. No values.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: Its name.
      type: str
    source:
      description: Which source it is from, or that it is the declaration's default.
      type: str
    delivered_as:
      description: V(variable) or V(file).
      type: str
    declared:
      description: Whether the declaration knows it.
      type: bool
missing:
  description: Optional sources that don't exist.
  returned: success
  type: list
  elements: str
problems:
  description: What is wrong, a line each with key, source and what was expected.
  returned: when the stores don't hold what is declared
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.views import entries
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.pins import look, refusal
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import find_release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment

SHOWN = ("key", "source", "delivered_as", "declared")


def main() -> None:
    own = {
        "app": {"type": "str", "required": True},
        "env": {"type": "str", "required": True},
        "image": {"type": "str", "default": "newest"},
        "role": {"type": "str"},
    }
    module = AnsibleModule({**aws_argument_spec(), **own}, supports_check_mode=True)
    environment = Environment(module.params["app"], module.params["env"])
    try:
        clients = connect(module.params)
        release = find_release(clients, environment.app, module.params["image"])
        found = look(clients, environment, release)
    except ConfigError as error:
        module.fail_json(msg=refusal(environment, release, error), problems=list(error.problems))
    except (AwsError, Refused) as error:
        module.fail_json(msg=str(error))
    shown = entries(found.declaration, found.configuration)
    keys = [{name: value for name, value in entry.items() if name in SHOWN} for entry in shown]
    module.exit_json(changed=False, release=release.name, keys=keys, missing=list(found.configuration.missing))


if __name__ == "__main__":
    main()
