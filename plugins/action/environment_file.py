# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an environment's file on the controller, where the person stands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from ansible_collections.immutable.ec2.plugins.module_utils.environment.rules import NAME, NAME_IN_WORDS
from ansible_collections.immutable.ec2.plugins.module_utils.environment.schema import (
    Document,
    Settings,
    WrongSettings,
    settings,
)
from ansible_collections.immutable.ec2.plugins.module_utils.environment.values import NotAllowed, text

FOLDER = "environments"
#: What every environment of the ops repo has in common; not an environment itself.
SHARED = "all"


class ActionModule(ActionBase):
    """Returns the settings of one environment, or every mistake in its files."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "env": {"type": "str", "default": ""},
                "shared": {"type": "bool", "default": False},
                "directory": {"type": "path"},
                "overrides": {"type": "dict", "default": {}},
            }
        )
        directory = Path(arguments["directory"] or os.getcwd())
        try:
            if arguments["shared"]:
                found, files = read_shared(directory, arguments["overrides"])
            else:
                found, files = read(directory, arguments["env"], arguments["overrides"])
        except WrongSettings as error:
            return result | {"failed": True, "msg": str(error)}
        return result | {"changed": False, "settings": {"env": arguments["env"], **found}, "files": files}


def read(directory: Path, env: str, overrides: Mapping[object, object]) -> tuple[Settings, list[str]]:
    """Returns an environment's settings, and the files that they come from, relative to directory.

    Raises WrongSettings where no such environment is found or where a file is wrong.
    """
    files = [Path(FOLDER, f"{name}.yml") for name in (SHARED, _existing(directory, env))]
    files = [file for file in files if (directory / file).is_file()]
    documents = [_document(directory, file) for file in files]
    return settings(documents, Document("-e", overrides)), [str(file) for file in files]


def read_shared(directory: Path, overrides: Mapping[object, object]) -> tuple[Settings, list[str]]:
    """Returns what all environments have in common, and the file that it comes from, which may be absent.

    Raises WrongSettings where it is wrong.
    """
    file = Path(FOLDER, f"{SHARED}.yml")
    there = (directory / file).is_file()
    document = _document(directory, file) if there else Document(str(file), {})
    return settings([document], Document("-e", overrides)), [str(file)] if there else []


def _existing(directory: Path, env: str) -> str:
    folder = directory / FOLDER
    if not folder.is_dir():
        raise WrongSettings([f"there is no folder {FOLDER}/ in {directory}: change to the ops repo, which has one"])
    known = sorted(file.stem for file in folder.glob("*.yml") if file.stem != SHARED)
    there_are = f"there are: {', '.join(known)}" if known else f"there is none yet, add {FOLDER}/<env>.yml"
    if not env:
        raise WrongSettings([f"no environment was given, add -e env=<name> ({there_are})"])
    if env not in known:
        raise WrongSettings([f'there is no environment "{env}" in {folder} ({there_are})'])
    try:
        text(NAME, NAME_IN_WORDS)(env)
    except NotAllowed as error:
        raise WrongSettings([f'{FOLDER}/{env}.yml: "{env}" can\'t name an environment, allowed is {error}']) from error
    return env


def _document(directory: Path, file: Path) -> Document:
    try:
        written = (directory / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettings([f"{file} can't be read: {error}"]) from error
    try:
        content = yaml.load(written, Loader=_Loader)  # a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that doesn't exist
        raise WrongSettings([f"{file} is not valid YAML: {' '.join(str(error).split())}"]) from error
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise WrongSettings([f"{file} is not a mapping of keys to values"])
    return Document(str(file), content)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is written twice, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
