# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and renders on the controller what the module puts onto the server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

Entry = dict[str, Any]
#: What gives a file its content; one of them.
CONTENT = ("content", "template", "src")


class ActionModule(ActionBase):
    """Runs the module once, whatever the number of files."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        entries = arguments.get("files")
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise AnsibleActionFail("files must be a list of mappings, each with a path")
        arguments["files"] = [ready for entry in entries for ready in self._ready(dict(entry), task_vars or {})]
        result |= self._execute_module("immutable.ec2.files", arguments, task_vars=task_vars)
        return result

    def _ready(self, entry: Entry, task_vars: dict[str, Any]) -> Iterator[Entry]:
        """The entry as the module needs it, with its content; a directory's copy is an entry for each file in it."""
        path, state = entry.get("path"), entry.get("state", "file")
        given = [name for name in CONTENT if entry.get(name) is not None]
        if state == "link" and given != ["src"]:
            raise AnsibleActionFail(f"{path}: a link needs src, where it leads, and nothing else")
        if state == "file" and len(given) != 1:
            raise AnsibleActionFail(f"{path}: a file needs one of {', '.join(CONTENT)}, not {given or 'none'}")
        if state == "directory" and given == ["src"]:
            yield from self._copied(entry)
        elif state == "file":
            yield {**entry, "content": self._content(entry, given[0], task_vars), "template": None, "src": None}
        else:
            yield entry

    def _content(self, entry: Entry, given: str, task_vars: dict[str, Any]) -> str:
        if given == "src":
            return _read(Path(self._found("files", entry["src"])))
        if given == "content":
            return str(entry["content"])
        file = self._found("templates", entry["template"])
        lookup = self._shared_loader_obj.lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        try:
            return str(lookup.run([file], variables=task_vars)[0])
        except AnsibleError as error:
            raise AnsibleActionFail(f"{entry['path']}: {entry['template']} can't be rendered: {error}") from error

    def _copied(self, entry: Entry) -> Iterator[Entry]:
        source = Path(self._found("files", entry["src"]))
        of_all: Entry = {name: entry[name] for name in ("owner", "group") if name in entry}
        yield {**of_all, "path": entry["path"], "state": "directory"}
        for folder, folders, files in os.walk(source):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            target = Path(entry["path"], Path(folder).relative_to(source))
            yield from ({**of_all, "path": str(target / name), "state": "directory"} for name in folders)
            yield from (
                {**of_all, "path": str(target / name), "content": _read(Path(folder, name))} for name in sorted(files)
            )

    def _found(self, kind: str, name: str) -> str:
        try:
            return str(self._find_needle(kind, name))
        except AnsibleError as error:
            raise AnsibleActionFail(f"{name} is not found on the controller: {error}") from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AnsibleActionFail(f"{file} is not text: take ansible.builtin.copy for it") from error
    except OSError as error:
        raise AnsibleActionFail(f"{file} can't be read: {error.strerror}") from error
