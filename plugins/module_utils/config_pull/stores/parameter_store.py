# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Parameter Store: paths page by page, single parameters and pinned ones ten a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.client import Aws
from ..declaration import Source
from ..errors import ConfigError, Exit
from .content import Content

# The most that the API gives in one call, by path and by name.
A_CALL = 10


def read_path(aws: Aws, source: Source) -> Content:
    """All parameters under a path.

    Raises:
        ConfigError: denied, or not to be had until the deadline, or two parameters would be one variable.
    """
    path = source.name.rstrip("/") + "/"
    request: dict[str, Any] = {"Path": path, "WithDecryption": True, "MaxResults": A_CALL}
    if source.options.get("recursive"):
        request["Recursive"] = True
    if label := source.text("label"):
        request["ParameterFilters"] = [{"Key": "Label", "Option": "Equals", "Values": [label]}]
    service = aws.service("ssm")
    found: list[Mapping[str, Any]] = []
    while True:
        page = service.json(str(source), "GetParametersByPath", request)
        found += _parameters(page)
        if not page.get("NextToken"):
            break
        request["NextToken"] = page["NextToken"]
    return _content(source, found)


def read_names(aws: Aws, sources: Sequence[Source], names: Mapping[str, tuple[Source, ...]]) -> list[Content]:
    """Parameters by name: those that a source names with ``key``, and those that a manifest pins.

    Args:
        sources: whose contents are wanted.
        names: ``/path/NAME``, with ``:version`` or ``:label`` → the sources that it belongs to.

    Raises:
        ConfigError: as `read_path`; or a parameter doesn't exist.
    """
    service = aws.service("ssm")
    found: dict[Source, list[Mapping[str, Any]]] = {source: [] for source in sources}
    missing: set[Source] = set()
    problems: list[str] = []
    wanted = sorted(names)
    for start in range(0, len(wanted), A_CALL):
        part = wanted[start : start + A_CALL]
        what = f"parameter_store {part[0]}" + (f" and {len(part) - 1} more" if len(part) > 1 else "")
        page = service.json(what, "GetParameters", {"Names": part, "WithDecryption": True})
        for parameter in _parameters(page):
            for source in names[parameter["Name"] + parameter.get("Selector", "")]:
                found[source].append(parameter)
        for name in page.get("InvalidParameters", []):
            for source in names[name]:
                if source.optional and "key" in source.options:
                    missing.add(source)
                else:
                    problems.append(f"{source}: there is no parameter {name}")
    if problems:
        raise ConfigError(Exit.NOT_FOUND, problems)
    return [_content(source, found[source], source in missing) for source in sources]


def _parameters(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parameters of a page; an answer without them is none of the store's."""
    listed = page.get("Parameters")
    if not isinstance(listed, list) or not all(
        isinstance(each, dict) and {"Name", "Value"} <= each.keys() for each in listed
    ):
        raise ConfigError(Exit.UNAVAILABLE, "parameter_store: an answer without parameters")
    return listed


def _content(source: Source, parameters: Sequence[Mapping[str, Any]], missing: bool = False) -> Content:
    values: dict[str, object] = {}
    problems: list[str] = []
    for parameter in parameters:
        key = source.text("key") or parameter["Name"].rsplit("/", 1)[-1]
        if key in values:
            problems.append(f"{key} is there twice under {source}, at {parameter['Name']} too")
        values[key] = parameter["Value"]
    if problems:
        raise ConfigError(Exit.INCOMPLETE, problems)
    versions = {parameter["Name"]: str(parameter.get("Version", "")) for parameter in parameters}
    return Content(source, values, versions, missing)
