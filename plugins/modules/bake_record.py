#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bake_record
version_added: "0.1.0"
short_description: Say what came of a bake, to programs and to a topic
description:
  - Writes the record of a bake as JSON to files, and sends it to an SNS topic. The documentation has its schema.
  - A topic that does not exist, or does not take the message, stops nothing.
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  record:
    description: The facts. What is missing or empty is null in the record.
    type: dict
    required: true
  paths:
    description: Files to write. Their folders are made.
    type: list
    elements: path
    default: []
  topic:
    description: The topic's ARN, empty for none.
    type: str
    default: ""
  expect_topic:
    description: Whether it is worth a warning that there is no such topic.
    type: bool
    default: false
attributes:
  check_mode:
    description: Sends nothing.
    support: partial
    details:
      - The files are written all the same, since they are what a user asks to see.
  diff_mode:
    description: There is nothing to show.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: immutable.ec2.ami_publish
"""

EXAMPLES = r"""
- name: Say that it begins
  immutable.ec2.bake_record:
    record:
      app: shop
      stage: app
      channel: main
      result: started
      message: baking release 20260102-114500-a1b2c3d of shop
    topic: arn:aws:sns:eu-west-1:123456789012:shop-bake
"""

RETURN = r"""
record:
  description: What was written.
  returned: always
  type: dict
  sample: {schema: 1, app: shop, result: started}
sent:
  description: Whether the topic took it.
  returned: always
  type: bool
"""

import json
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect
from ansible_collections.immutable.ec2.plugins.module_utils.aws.sns import publish_message
from ansible_collections.immutable.ec2.plugins.module_utils.baking.record import to_message, to_record, to_subject

NO_TOPIC = "NotFound"
ARGUMENTS: dict[str, t.Any] = {
    "record": {"type": "dict", "required": True},
    "paths": {"type": "list", "elements": "path", "default": []},
    "topic": {"type": "str", "default": ""},
    "expect_topic": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    record = to_record(module.params["record"], datetime.now(UTC))
    for path in map(Path, module.params["paths"]):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            module.fail_json(msg=f"the record of the bake could not be written to {path}: {error.strerror}")
    sent = False
    if module.params["topic"] and not module.check_mode:
        attributes = {"app": record["app"] or "none", "result": record["result"]}
        try:
            topic = module.params["topic"]
            publish_message(connect(module.params), topic, to_subject(record), to_message(record), attributes)
            sent = True
        except AwsError as error:
            if module.params["expect_topic"] or error.code != NO_TOPIC:
                module.warn(f"the event {record['result']} was not sent; the bake goes on. {error}")
    module.exit_json(changed=False, record=record, sent=sent)


if __name__ == "__main__":
    main()
