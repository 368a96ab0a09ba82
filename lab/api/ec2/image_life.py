# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an image after its bake: deprecated, disabled, protected, in the Recycle Bin, and who references it.

Added to moto 5.2.5, which knows nothing of it but the state "disabled". Private to it: ``AmisResponse``,
``AmiBackend``, ``EBSBackend`` and the backends' dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, OperationNotPermitted
from moto.ec2.models.amis import AmiBackend
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses.amis import AmisResponse

from lab.api.patching import replace

Parameters = Callable[[str, str], Mapping[str, str]]
"""Account and region → name and value of each SSM parameter."""

RETAINS: set[str] = set()
"""Regions whose Recycle Bin has a rule that retains images and snapshots."""
DEPTH = 10
"""Versions of a launch template that AWS looks at unless told otherwise."""


def know_image_life(parameters: Parameters) -> None:
    """Add what retention needs; once a process."""
    _stages()
    _recycle_bin()
    _references(parameters)


def _stages() -> None:
    def disable_image(backend: Any, ami_id: str) -> None:
        original(backend, ami_id)
        backend.amis[ami_id].launch_permissions.clear()

    original = replace(AmiBackend, "disable_image", disable_image)

    def enable_deprecation(response: Any) -> ActionResult:
        when = response._get_param("DeprecateAt")
        time = when if isinstance(when, datetime) else datetime.fromisoformat(str(when))
        if time.astimezone(UTC) < datetime.now(UTC):
            raise EC2ClientError("InvalidParameterValue", "The deprecation time can't be in the past.")
        _image(response).deprecation_time = f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:00.000Z}"
        return ActionResult({"Return": True})

    def disable_deprecation(response: Any) -> ActionResult:
        _image(response).deprecation_time = None
        return ActionResult({"Return": True})

    def protect(response: Any) -> ActionResult:
        _image(response).deregistration_protection = "enabled-without-cooldown"
        return ActionResult({"Return": "enabled-without-cooldown"})

    def unprotect(response: Any) -> ActionResult:
        _image(response).deregistration_protection = "disabled"
        return ActionResult({"Return": "disabled"})

    _add("enable_image_deprecation", enable_deprecation)
    _add("disable_image_deprecation", disable_deprecation)
    _add("enable_image_deregistration_protection", protect)
    _add("disable_image_deregistration_protection", unprotect)


def _recycle_bin() -> None:
    def deregister_image(backend: Any, ami_id: str) -> None:
        image = backend.amis.get(ami_id)
        if image and getattr(image, "deregistration_protection", "").startswith("enabled"):
            raise OperationNotPermitted(ami_id)
        deregister(backend, ami_id)
        if backend.region_name in RETAINS:
            image.launch_permissions.clear()
            _bin(backend, "images")[ami_id] = image

    def delete_snapshot(backend: Any, snapshot_id: str) -> Any:
        using = [ami.id for ami in backend.amis.values() if ami.ebs_snapshot and ami.ebs_snapshot.id == snapshot_id]
        if using:
            raise EC2ClientError("InvalidSnapshot.InUse", f"The snapshot {snapshot_id} is currently in use by {using}")
        snapshot = backend.snapshots.get(snapshot_id)
        if snapshot:
            snapshot.from_ami = None  # moto keeps it for ever otherwise
        deleted = delete(backend, snapshot_id)
        if backend.region_name in RETAINS:
            _bin(backend, "snapshots")[snapshot_id] = deleted
        return deleted

    deregister = replace(AmiBackend, "deregister_image", deregister_image)
    delete = replace(EBSBackend, "delete_snapshot", delete_snapshot)

    def list_images(response: Any) -> ActionResult:
        held = _bin(response.ec2_backend, "images").values()
        return ActionResult({"Images": [{"ImageId": one.id, "Name": one.name} for one in held]})

    def list_snapshots(response: Any) -> ActionResult:
        held = _bin(response.ec2_backend, "snapshots").values()
        return ActionResult(
            {"Snapshots": [{"SnapshotId": one.id, "Description": one.description or ""} for one in held]}
        )

    def restore_image(response: Any) -> ActionResult:
        backend, image_id = response.ec2_backend, response._get_param("ImageId")
        image = _bin(backend, "images").get(image_id)
        if image is None:
            raise InvalidAMIIdError(image_id)
        if image.ebs_snapshot and image.ebs_snapshot.id not in backend.snapshots:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot {image.ebs_snapshot.id} does not exist.")
        del _bin(backend, "images")[image_id]
        backend.amis[image_id] = image
        backend.deleted_amis.remove(image_id)
        return ActionResult({"Return": True})

    def restore_snapshot(response: Any) -> ActionResult:
        backend, snapshot_id = response.ec2_backend, response._get_param("SnapshotId")
        backend.snapshots[snapshot_id] = _bin(backend, "snapshots").pop(snapshot_id)
        return ActionResult({"SnapshotId": snapshot_id})

    _add("list_images_in_recycle_bin", list_images)
    _add("list_snapshots_in_recycle_bin", list_snapshots)
    _add("restore_image_from_recycle_bin", restore_image)
    _add("restore_snapshot_from_recycle_bin", restore_snapshot)


def _references(parameters: Parameters) -> None:
    def describe_image_references(response: Any) -> ActionResult:
        asked = response._get_param("ImageIds", [])
        if len(asked) > 10:
            raise EC2ClientError("InvalidParameterValue", "At most 10 images can be given.")
        options = {
            option["OptionName"]: option["OptionValues"]
            for one in response._get_param("ResourceTypes", [])
            for option in one.get("ResourceTypeOptions", [])
        }
        depth = int(options.get("version-depth", [DEPTH])[0])
        values = parameters(response.current_account, response.region)
        found = [
            {"ImageId": image_id, "ResourceType": kind, "Arn": f"arn:aws:{kind.split(':')[0]}:{response.region}:{rest}"}
            for image_id, kind, rest in _users(response.ec2_backend, depth, options.get("state-name"), values)
            if image_id in asked
        ]
        return ActionResult({"ImageReferences": found})

    _add("describe_image_references", describe_image_references)


def _users(
    backend: Any, depth: int, states: list[str] | None, parameters: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    account = backend.account_id
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            if states is None or instance._state.name in states:
                yield instance.image_id, "ec2:Instance", f"{account}:instance/{instance.id}"
    for template in backend.launch_templates.values():
        for image_id in {version.image_id for version in template.versions[-depth:]} - {None, ""}:
            yield image_id, "ec2:LaunchTemplate", f"{account}:launch-template/{template.id}"
    for name, value in parameters.items():
        yield value, "ssm:Parameter", f"{account}:parameter/{name.lstrip('/')}"


def _bin(backend: Any, what: str) -> dict[str, Any]:
    bins: dict[str, dict[str, Any]] = backend.__dict__.setdefault("recycle_bin", {"images": {}, "snapshots": {}})
    return bins[what]


def _image(response: Any) -> Any:
    image_id = response._get_param("ImageId")
    if image_id not in response.ec2_backend.amis:
        raise InvalidAMIIdError(image_id)
    return response.ec2_backend.amis[image_id]


def _add(name: str, method: Callable[[Any], ActionResult]) -> None:
    assert not hasattr(AmisResponse, name), f"moto has learned {name}: take it from there"
    setattr(AmisResponse, name, method)
