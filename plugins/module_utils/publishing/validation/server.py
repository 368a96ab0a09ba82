# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the image with a key, a security group and nothing else of its own; all of it goes with it."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from datetime import timedelta
from pathlib import Path

from ansible_collections.immutable.ec2.plugins.module_utils.aws import servers
from ansible_collections.immutable.ec2.plugins.module_utils.aws.console import last_lines
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Leftover
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import EXPIRES_TAG, OWNER_TAG
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.remove import remove
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.ssh import UNREACHED, Ssh

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ec2.type_defs import InstanceTypeDef

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Validation

PAUSE_SECONDS: t.Final = 0.5
MARGIN: t.Final = timedelta(minutes=15)
"""What the removal may take after the validation's deadline, before another run may take over."""
ADDRESSES: t.Final = {
    "private_ip": "PrivateIpAddress",
    "public_ip": "PublicIpAddress",
    "private_dns": "PrivateDnsName",
    "public_dns": "PublicDnsName",
}


@contextlib.contextmanager
def server(
    clients: Clients, app: str, release: str, image: str, settings: Validation, profile: str, env: str
) -> Iterator[tuple[str, Path]]:
    """Launches a server; yields its id and the folder with its private key. Afterwards nothing of it is there.

    Args:
        clients: of the image's region.
        app, release: whose image it is.
        image: its id.
        settings: how it is booted.
        profile: name of its instance profile, or empty.
        env: whose configuration it gets, or empty for none.

    Raises:
        AwsError: it could not be launched, or something of it could not be removed.
        PublishError: there is no network to launch it in.
    """
    name = f"{app}-validation-{release}"
    expires = clock.now() + settings.deadline + MARGIN
    tags = {"Name": name, OWNER_TAG: app, "app": app, "release": release, EXPIRES_TAG: expires.isoformat()}
    made: list[Leftover] = []
    with tempfile.TemporaryDirectory(prefix="immutable-") as folder, contextlib.ExitStack() as stack:
        stack.callback(_remove_all, clients, made)
        key = Path(folder, "key")
        key.touch(0o600)
        # What was asked for may be there although its answer was lost, so it counts as made.
        made.append(Leftover("key pair", name, release, None))
        key.write_text(servers.create_key(clients, name, tags), encoding="utf-8")
        group = servers.create_group(clients, name, _network(clients, settings), tags)
        made.insert(0, Leftover("security group", group, release, None))
        servers.allow_ssh(clients, group, list(settings.ssh_sources))
        instance = _launch(clients, image, settings, name, group, profile, {**tags, "env": env} if env else tags)
        made.insert(0, Leftover("instance", instance, release, None))
        yield instance, Path(folder)


def _launch(
    clients: Clients, image: str, settings: Validation, key: str, group: str, profile: str, tags: dict[str, str]
) -> str:
    kind, public = settings.instance_type, settings.interface.startswith("public")
    try:
        return servers.run_instance(clients, image, kind, key, group, settings.subnet, public, profile, tags)
    except AwsError as error:
        if not profile or "nstance Profile" not in error.why:
            raise
        raise PublishError(
            f"there is a configuration for {settings.env}, and no instance profile {profile} to read it with: make "
            f"one, or name another (validation_instance_profile). {error}"
        ) from error


def reach(clients: Clients, instance_id: str, folder: Path, settings: Validation, deadline: float) -> Ssh:
    """Waits until the server takes a login and has booted.

    Raises:
        ValidationFailed: it doesn't, with what it wrote to its console.
    """
    reached: Ssh | None = None
    said = "it is not running"
    while clock.monotonic() < deadline:
        found = _describe(clients, instance_id)
        state = found["State"]["Name"] if found else "pending"
        if found and state not in ("pending", "running"):
            cause = found.get("StateReason", {}).get("Message", "no reason given")
            raise ValidationFailed(f"the server of the image is {state}: {cause}", _console(clients, instance_id))
        address = str(found.get(ADDRESSES[settings.interface]) or "") if found else ""
        if state == "running" and not address:
            raise ValidationFailed(
                f"the server has no {settings.interface}: set ssh_interface, or a subnet that gives it one", []
            )
        if state == "running":
            reached = Ssh(address, settings.user, folder)
            done = reached.run("true", 30)
            if done.returncode == 0:
                return reached
            lines = done.stderr.strip().splitlines()
            said = lines[-1] if lines else f"exit code {done.returncode}"
            if done.returncode != UNREACHED:
                raise ValidationFailed(
                    f"{settings.user} can log in on the server and not become root: {said}",
                    _console(clients, instance_id),
                )
        clock.sleep(PAUSE_SECONDS)
    raise ValidationFailed(
        f"no login as {settings.user} within {settings.deadline.total_seconds():.0f} s of the launch: {said}",
        _console(clients, instance_id),
    )


def _describe(clients: Clients, instance_id: str) -> InstanceTypeDef | None:
    """None while AWS doesn't show it yet."""
    try:
        return servers.describe_instance(clients, instance_id)
    except AwsError as error:
        if servers.is_gone(error):
            return None
        raise


def _console(clients: Clients, instance_id: str) -> list[str]:
    try:
        return last_lines(clients, instance_id)
    except AwsError as error:
        return [str(error)]


def _network(clients: Clients, settings: Validation) -> str:
    if settings.subnet:
        return servers.vpc_of_subnet(clients, settings.subnet)
    vpc = servers.default_vpc(clients)
    if not vpc:
        raise PublishError(f"{clients.region} has no default network: name a subnet for the server (subnet_id)")
    return vpc


def _remove_all(clients: Clients, made: list[Leftover]) -> None:
    """All that can go goes, then the first failure is raised: the next run finds the rest by its tags."""
    failures: list[AwsError] = []
    for one in made:
        try:
            remove(clients, one)
        except AwsError as error:
            failures.append(error)
    if failures:
        raise failures[0]
