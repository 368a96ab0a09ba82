# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource types that ministack's CloudFormation engine hands to the lab.

Private to ministack 1.5.33: ``provisioners._RESOURCE_HANDLERS``, ``_STACK_TAG_PROPERTY``, ``_REPLACING_PROPERTIES``
and ``_physical_name``, ``stacks._runs_on_worker_thread``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from lab.api.cloudformation.calls import Properties

#: Physical id and attributes (for ``Fn::GetAtt``).
Resource = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class ResourceType:
    """How a resource is made, changed in place and removed.

    Attributes:
        name: such as ``AWS::EC2::SecurityGroup``.
        create: is given a physical name for what has none in the template, and the properties.
        update: is given the physical id, the old and the new properties.
        delete: is given the physical id and the properties.
        name_length: longest physical name that the service takes.
        replaced_by: properties whose change makes another resource, the old one being removed afterwards.
    """

    name: str
    create: Callable[[str, Properties], Resource]
    update: Callable[[str, Properties, Properties], Resource]
    delete: Callable[[str, Properties], None]
    name_length: int = 255
    replaced_by: tuple[str, ...] = ()


def provide(types: tuple[ResourceType, ...]) -> None:
    """Put the types in the place of ministack's own, each with stack tags, and off the event loop since they wait."""
    names = {each.name for each in types}
    for each in types:
        provisioners._RESOURCE_HANDLERS[each.name] = _handlers(each)
        provisioners._STACK_TAG_PROPERTY.setdefault(each.name, ("Tags", "list"))
        if each.replaced_by:
            provisioners._REPLACING_PROPERTIES[each.name] = each.replaced_by
    own_choice = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in names or own_choice(name)


def _handlers(each: ResourceType) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack: str) -> Resource:
        name = provisioners._physical_name(stack, logical_id, max_len=each.name_length)
        return each.create(name, properties)

    def update(physical_id: str, old: Properties, new: Properties, _stack: str) -> Resource:
        return each.update(physical_id, old, new)

    return {"create": create, "update": update, "delete": each.delete}
