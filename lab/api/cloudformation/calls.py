# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API calls with a template's properties: names and values as the template has them, types as the API wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from lab.api.moto_bridge import client

Properties = Mapping[str, Any]


def call(service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """Call ``operation`` with template values; properties that the operation doesn't know are left out.

    Raises:
        ClientError: as the API answers.
    """
    made = client(service)
    shape = made.meta.service_model.operation_model(operation).input_shape
    answer: dict[str, Any] = getattr(made, xform_name(operation))(**coerce(arguments, shape))
    return answer


def call_unless_gone(service: str, operation: str, **arguments: Any) -> None:
    """Call an operation that removes something; where that is gone already, the work is done."""
    try:
        call(service, operation, **arguments)
    except ClientError as error:
        if "notfound" not in str(error).replace(" ", "").lower():
            raise


def coerce(value: Any, shape: Shape) -> Any:
    """A template's value (often a string) as the type that botocore's model of the API names."""
    if isinstance(shape, StructureShape):
        return {
            key: coerce(item, shape.members[key])
            for key, item in value.items()
            if key in shape.members and item is not None
        }
    if isinstance(shape, ListShape):
        return [coerce(item, shape.member) for item in (value if isinstance(value, list) else [value])]
    if isinstance(shape, MapShape):
        return {str(key): coerce(item, shape.value) for key, item in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def tag_changes(old: Properties, new: Properties) -> tuple[list[dict[str, Any]], list[str]]:
    """The tags to set and the keys to remove that lead from the old properties to the new ones."""
    before, after = old.get("Tags") or [], new.get("Tags") or []
    keys = {tag["Key"] for tag in after}
    return [tag for tag in after if tag not in before], [tag["Key"] for tag in before if tag["Key"] not in keys]
