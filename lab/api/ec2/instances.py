# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that are real servers: launched, stopped, started and terminated behind the API's states.

Private to moto 5.2.5: ``InstanceBackend.run_instances``, ``Instance.start/stop/terminate`` and their state objects,
the console output's response.
"""

from __future__ import annotations

import base64
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceBackend, MetadataOptions, StateReason
from moto.ec2.responses import EC2Response

from lab.api.ec2.machines import Machines
from lab.api.patching import replace
from lab.servers.interface import LaunchSpec
from lab.settings import LOGIN_USER

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html
PENDING, RUNNING, SHUTTING_DOWN, TERMINATED, STOPPING, STOPPED = 0, 16, 32, 48, 64, 80
_NAMES = {
    PENDING: "pending",
    RUNNING: "running",
    SHUTTING_DOWN: "shutting-down",
    TERMINATED: "terminated",
    STOPPING: "stopping",
    STOPPED: "stopped",
}


def set_state(instance: Any, code: int) -> None:
    instance._state.code, instance._state.name = code, _NAMES[code]


def use_servers(machines: Machines) -> None:
    """Put servers behind moto's instances."""
    _launch(machines)
    _change(machines)
    _console(machines)


def _launch(machines: Machines) -> None:
    def run_instances(
        backend: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], **named: Any
    ) -> Any:
        version = backend._get_template_from_args(named["launch_template"]) if named.get("launch_template") else None
        template: dict[str, Any] = version.data if version else {}
        image_id = image_id or template.get("ImageId", "")
        _require_image(backend, image_id)
        key = _key(backend, named.get("key_name") or template.get("KeyName"))
        interfaces = named.get("nics") or []
        if not named.get("subnet_id") and not any("SubnetId" in nic for nic in interfaces):
            subnet = _default_subnet(backend, named.get("placement"))
            if interfaces:
                interfaces[0]["SubnetId"] = subnet
            else:
                named["subnet_id"] = subnet
        reservation = original(backend, image_id, count, user_data, security_group_names, **named)
        for instance in reservation.instances:
            if not named.get("metadata_options") and template.get("MetadataOptions"):
                instance.metadata_options = MetadataOptions(template["MetadataOptions"])
            instance.profile = template.get("IamInstanceProfile") or {}
            _start_machine(machines, instance, key)
        return reservation

    original = replace(InstanceBackend, "run_instances", run_instances)


def _require_image(backend: Any, image_id: str) -> None:
    image = backend.amis.get(image_id)
    if image is None:
        raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if image.state != "available":
        raise EC2ClientError("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available")


def _key(backend: Any, name: str | None) -> str | None:
    if not name:
        return None
    if name not in backend.key_pairs:
        raise EC2ClientError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    return str(backend.key_pairs[name].public_key)


def _default_subnet(backend: Any, zone: str | None) -> str:
    """moto puts an instance without a subnet outside every subnet; AWS puts it into the default one."""
    subnets = backend.get_default_subnets()
    if not subnets:
        raise EC2ClientError("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
    return str((subnets[zone] if zone in subnets else next(iter(subnets.values()))).id)


def _start_machine(machines: Machines, instance: Any, key: str | None) -> None:
    spec = LaunchSpec(
        instance_id=instance.id,
        image_id=instance.image_id,
        private_ip=instance.private_ip,
        public_key=key,
        user_data=user_data(instance),
        login_user=LOGIN_USER,
    )

    def launched(error: Exception | None) -> None:
        if error:
            instance.terminate()
            instance.state_reason = StateReason(f"Server.InternalError: {error}", "Server.InternalError")
        elif instance.state_code == PENDING:
            set_state(instance, RUNNING)

    set_state(instance, PENDING)
    machines.submit(instance.id, "launch", lambda servers: servers.launch(spec), launched)


def user_data(instance: Any) -> bytes | None:
    """An instance's user data as its metadata will show it."""
    given = instance.user_data  # moto keeps a launch template's as text, RunInstances' as a type of its own
    return base64.b64decode(given if isinstance(given, str) else given.as_bytes()) if given else None


def _change(machines: Machines) -> None:
    def reach(instance: Any, code: int, via: int) -> Any:
        def done(error: Exception | None) -> None:
            if instance.state_code == via:
                set_state(instance, code)
                if error:
                    instance.state_reason = StateReason(f"Server.InternalError: {error}", "Server.InternalError")

        set_state(instance, via)
        return done

    def stop(instance: Any) -> Any:
        before = original_stop(instance)
        if before.code in (RUNNING, PENDING):
            done = reach(instance, STOPPED, STOPPING)
            machines.submit(instance.id, "stop", lambda servers: servers.stop(instance.id), done)
        return before

    def start(instance: Any) -> Any:
        if instance.state_code not in (STOPPED, RUNNING):
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which it can be started.",
            )
        before = original_start(instance)
        if before.code == STOPPED:
            done = reach(instance, RUNNING, PENDING)
            machines.submit(instance.id, "start", lambda servers: servers.start(instance.id), done)
        return before

    def terminate(instance: Any) -> Any:
        if instance.state_code in (SHUTTING_DOWN, TERMINATED):
            return _copy(instance)
        before = original_terminate(instance)
        done = reach(instance, TERMINATED, SHUTTING_DOWN)
        machines.submit(instance.id, "termination", lambda servers: servers.terminate(instance.id), done)
        return before

    original_stop = replace(Instance, "stop", stop)
    original_start = replace(Instance, "start", start)
    original_terminate = replace(Instance, "terminate", terminate)


def _copy(instance: Any) -> Any:
    return type(instance._state)(instance._state.name, instance._state.code)


def _console(machines: Machines) -> None:
    def get_console_output(response: Any) -> ActionResult:
        instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
        output = "" if instance.state_code == TERMINATED else machines.servers.console_output(instance.id)
        encoded = Base64EncodedString.from_raw_string(output)
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": encoded})

    replace(EC2Response, "get_console_output", get_console_output)
