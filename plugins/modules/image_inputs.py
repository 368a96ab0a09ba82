#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_inputs
version_added: "0.1.0"
short_description: One hash for everything that an image is made from
description:
  - Hashes files and folders by name, kind, content and executability, and further facts, so that an image whose inputs
    have not changed need not be baked again.
  - Owners and times of files don't count. It reads files where it runs, and asks nobody.
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  paths:
    description: Files and folders.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What it is called in RV(parts), wherever it lies.
        type: str
        required: true
      path:
        description: The file or folder.
        type: path
        required: true
      optional:
        description: Whether it need not exist; it counts as empty then.
        type: bool
        default: false
      exclude:
        description:
          - Patterns of what doesn't count. One without a slash is compared with the last part of a path, one with a
            slash with all of it below the folder.
        type: list
        elements: str
        default: [__pycache__]
  facts:
    description: What else the image depends on, such as versions.
    type: dict
    default: {}
attributes:
  check_mode:
    description: It never changes anything.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
seealso:
  - module: immutable.ec2.ami_publish
"""

EXAMPLES = r"""
- name: Hash what an image is made from
  immutable.ec2.image_inputs:
    paths:
      - {name: app, path: ../shop, exclude: [.git, tmp]}
      - {name: role_vars, path: image.yml}
    facts:
      base_image: ami-0123456789abcdef0
  register: inputs
"""

RETURN = r"""
hash:
  description: The hash of all inputs.
  returned: always
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
parts:
  description: The hash of each path, and the facts.
  returned: always
  type: dict
  sample: {app: 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.immutable.ec2.plugins.module_utils.baking.inputs import hash_all, hash_path


def main() -> None:
    module = AnsibleModule(
        {
            "paths": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "path": {"type": "path", "required": True},
                    "optional": {"type": "bool", "default": False},
                    "exclude": {"type": "list", "elements": "str", "default": ["__pycache__"]},
                },
            },
            "facts": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    parts: dict[str, str] = {f"fact {name}": str(value) for name, value in module.params["facts"].items()}
    for one in module.params["paths"]:
        if not one["optional"] and not Path(one["path"]).exists():
            module.fail_json(msg=f"{one['path']} does not exist, so nobody knows whether it changed")
        try:
            parts[one["name"]] = hash_path(Path(one["path"]), one["exclude"])
        except OSError as error:
            module.fail_json(
                msg=f"{error.filename} can't be read, so nobody knows whether it changed: {error.strerror}"
            )
    module.exit_json(changed=False, hash=hash_all(parts), parts=parts)


if __name__ == "__main__":
    main()
