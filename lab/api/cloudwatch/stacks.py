# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS::CloudWatch::CompositeAlarm, which ministack's CloudFormation doesn't know (its metric alarms are real).

Private to ministack 1.5.33: ``_put_composite_alarm``, ``_delete_alarms``, the table of composite alarms and of tags.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import cloudwatch

from lab.api.cloudformation.calls import Properties
from lab.api.cloudformation.engine import Resource, ResourceType

_TRUE = ("true", "1", "yes")


def _create(name: str, properties: Properties) -> Resource:
    return _put(str(properties.get("AlarmName", name)), properties)


def _update(name: str, old: Properties, new: Properties) -> Resource:
    wanted = str(new.get("AlarmName", name))
    if wanted != name:
        made = _put(wanted, new)
        _delete(name, old)
        return made
    return _put(name, new)


def _put(name: str, properties: Properties) -> Resource:
    enabled = str(properties.get("ActionsEnabled", True)).lower() in _TRUE
    settings = {key: value for key, value in properties.items() if key != "Tags"}  # the call refuses the stack's own
    _call(cloudwatch._put_composite_alarm, {**settings, "AlarmName": name, "ActionsEnabled": enabled})
    arn = cloudwatch._composite_alarms[name]["AlarmArn"]
    cloudwatch._resource_tags[arn] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
    return name, {"Arn": arn}


def _delete(name: str, _properties: Properties) -> None:
    _call(cloudwatch._delete_alarms, {"AlarmNames": [name]})


def _call(handler: Any, data: dict[str, Any]) -> None:
    """Call one of ministack's handlers with a request's data.

    Raises:
        ValueError: the request is refused; the message is the API's.
    """
    status, _, body = handler({}, data, False, True)
    if status >= 400:
        raise ValueError(json.loads(body)["message"])


TYPES = (ResourceType("AWS::CloudWatch::CompositeAlarm", _create, _update, _delete),)
