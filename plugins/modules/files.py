#!/usr/bin/python
# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: files
version_added: "0.1.0"
short_description: Put many small files onto a server at once
description:
  - Makes directories, files, links and removals in the order given, all in one run on the server.
  - M(ansible.builtin.template) and M(ansible.builtin.copy) take several round trips for each file. An image has dozens
    of units and settings, and its bake would mostly wait for those.
  - Files travel in the module's arguments. For what is large or not text take M(ansible.builtin.copy) or
    M(ansible.builtin.unarchive).
author:
  - The immutable.ec2 authors (@immutable-ec2)
options:
  files:
    description: What there shall be.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - Where it is on the server. What holds it must exist or come earlier in the list; those above a directory
            are made with it, with its owner and permissions.
        type: path
        required: true
      state:
        description: What it is. A link is replaced where it leads elsewhere, and takes the place of a file.
        type: str
        choices: [file, directory, link, absent]
        default: file
      content:
        description: The file's content.
        type: str
      template:
        description: A template on the controller, looked for as M(ansible.builtin.template) does; its result counts.
        type: str
      src:
        description:
          - For a file, one on the controller that has the content, looked for as M(ansible.builtin.copy) does.
          - For a directory, one on the controller that it becomes a copy of; compiled Python is left out, what
            else is there on the server stays.
          - For a link, where it leads.
        type: str
      validate:
        description: A command that must succeed before the file is put in place; C(%s) is the file to look at.
        type: str
      owner:
        description: Who owns it.
        type: str
      group:
        description: Which group owns it.
        type: str
      mode:
        description: Its permissions in octal; C(0755) for directories and C(0644) for files where nothing is said.
        type: str
  owner:
    description: Who owns what says nothing else.
    type: str
    default: root
  group:
    description: Which group owns what says nothing else.
    type: str
    default: root
attributes:
  check_mode:
    description: Says what would change.
    support: full
  diff_mode:
    description: Shows each file's difference.
    support: full
seealso:
  - module: ansible.builtin.template
  - module: ansible.builtin.copy
  - module: ansible.builtin.file
"""

EXAMPLES = r"""
- name: Install the app's unit and what it uses
  immutable.ec2.files:
    files:
      - {path: /usr/lib/shop, state: directory}
      - {path: /usr/lib/shop/wait, src: wait, mode: "0755"}
      - {path: /etc/systemd/system/shop.service, template: shop.service.j2}
      - {path: /etc/shop.env, content: "RAILS_ENV=production\n"}
      - {path: /srv/shop/log, state: link, src: /var/log/shop}
"""

RETURN = r"""
paths:
  description: What changed.
  returned: always
  type: list
  elements: str
  sample: [/etc/systemd/system/shop.service]
"""

import os
import shutil
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

ENTRY: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["file", "directory", "link", "absent"], "default": "file"},
    "content": {"type": "str"},
    "template": {"type": "str"},
    "src": {"type": "str"},
    "validate": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str"},
}
ARGUMENTS: dict[str, t.Any] = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}
MODES = {"file": "0644", "directory": "0755"}


class Refused(Exception):
    """What is in the way, in words for a person."""


class Server:
    """Brings paths into the state that is wanted; in check mode it only finds out which are not.

    Args:
        module: knows check mode, owners and permissions, and moves files so that none is seen half written.

    Attributes:
        paths: those that changed.
        differences: what ``--diff`` shows.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._asks = bool(module.check_mode)
        self._directories: set[str] = set()
        self.paths: list[str] = []
        self.differences: list[dict[str, str]] = []

    def bring(self, entry: dict[str, t.Any]) -> None:
        """Bring one path into its state; raises Refused where something is in the way, OSError where it can't be."""
        path, state = os.path.normpath(entry["path"]), entry["state"]
        if state == "absent":
            changed = self._absent(path)
        elif state == "directory":
            changed = self._directory(path, entry)
        elif state == "link":
            changed = self._link(path, entry["src"])
        else:
            changed = self._file(path, (entry["content"] or "").encode(), entry["validate"])
        if state in MODES and os.path.exists(path):
            changed = self._attributes(path, entry, changed)
        if changed:
            self.paths.append(path)

    def _absent(self, path: str) -> bool:
        if not os.path.lexists(path):
            return False
        self._differ(path, "present\n", "absent\n")
        if self._asks:
            return True
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
        return True

    def _directory(self, path: str, entry: dict[str, t.Any]) -> bool:
        if os.path.isdir(path) or path in self._directories:
            return False
        if os.path.lexists(path):
            raise Refused("there is something that is no directory")
        above = os.path.dirname(path)
        if not os.path.isdir(above):
            self.bring({**entry, "path": above})
        self._differ(path, "absent\n", "directory\n")
        self._directories.add(path)
        if not self._asks:
            os.mkdir(path)
        return True

    def _link(self, path: str, target: str) -> bool:
        before = os.readlink(path) if os.path.islink(path) else "none"
        if before == target:
            return False
        if os.path.isdir(path) and not os.path.islink(path):
            raise Refused("there is a directory")
        self._differ(path, f"{before}\n", f"{target}\n")
        if not self._asks:
            with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as place:
                os.symlink(target, os.path.join(place, "link"))
                os.rename(os.path.join(place, "link"), path)
        return True

    def _file(self, path: str, content: bytes, validate: str | None) -> bool:
        if os.path.isdir(path):
            raise Refused("there is a directory")
        before = b""
        if os.path.isfile(path):
            with open(path, "rb") as file:
                before = file.read()
            if before == content:
                return False
        self._differ(path, before.decode(errors="replace"), content.decode())
        if not self._asks:
            self._write(path, content, validate)
        return True

    def _write(self, path: str, content: bytes, validate: str | None) -> None:
        handle, beside = tempfile.mkstemp(prefix=".immutable-", dir=os.path.dirname(path))
        try:
            with open(handle, "wb") as file:
                file.write(content)
            if validate:
                status, out, error = self._module.run_command(validate.replace("%s", beside))
                if status:
                    raise Refused(f"{validate} says: {(error or out).strip()}")
            self._module.atomic_move(beside, path)
        finally:
            if os.path.exists(beside):
                os.unlink(beside)

    def _attributes(self, path: str, entry: dict[str, t.Any], changed: bool) -> bool:
        changed = self._module.set_owner_if_different(path, entry["owner"], changed)
        changed = self._module.set_group_if_different(path, entry["group"], changed)
        return bool(self._module.set_mode_if_different(path, entry["mode"] or MODES[entry["state"]], changed))

    def _differ(self, path: str, before: str, after: str) -> None:
        self.differences.append({"before_header": path, "after_header": path, "before": before, "after": after})


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    server = Server(module)
    for entry in module.params["files"]:
        of_all = {name: module.params[name] for name in ("owner", "group") if not entry[name]}
        try:
            server.bring({**entry, **of_all})
        except (Refused, OSError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            what = "removed" if entry["state"] == "absent" else f"made a {entry['state']}"
            module.fail_json(msg=f"{entry['path']} could not be {what}: {why}", paths=server.paths)
    module.exit_json(changed=bool(server.paths), paths=server.paths, diff=server.differences)


if __name__ == "__main__":
    main()
