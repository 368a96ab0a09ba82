# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers as containers: systemd is PID 1, the address is the instance's private one, an image is a commit."""

from __future__ import annotations

import io
import tarfile
import time
from pathlib import Path

from lab.podman import Podman
from lab.servers.errors import ServersError
from lab.servers.interface import LaunchSpec
from lab.settings import BASE_IMAGE, OLDER_BASE_IMAGE, Settings, from_environment

#: Image id under which the distribution's own image can be launched and copied.
DISTRIBUTION = "debian-13"
_DISTRIBUTIONS = {DISTRIBUTION: BASE_IMAGE, "debian-12": OLDER_BASE_IMAGE}
#: Label that tells servers from the stores.
PART_LABEL = "immutable-lab.part"
_SERVER = f"{PART_LABEL}=server"
#: Seconds that a server's units get to end by themselves, as with an instance's shutdown.
_SHUTDOWN_SECONDS = 20
_LOG_LINES = 200
_MOUNTS_UNIT = "lab-mounts.service"
#: systemd shares its mounts with its services on a machine, and leaves it to others in a container (mount_setup in its
#: src/shared/mount-setup.c). Without it what LoadCredential= mounts is seen by nobody.
_SHARED_MOUNTS = """\
[Unit]
Description=Mounts as on a machine: shared
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --make-rshared /
"""
#: The login user's ids in the distribution image.
_UID = 1000


class PodmanServers:
    """Implements lab.servers.interface.Servers with podman.

    ``run_dir`` holds containers.conf and the systemd settings that every server sees; both are written here. The
    network and the base image must exist (``python -m lab up`` makes them).
    """

    def __init__(self, run_dir: Path, settings: Settings | None = None) -> None:
        self._settings = settings or from_environment()
        self._podman = Podman(run_dir)
        self._system_conf = run_dir.resolve() / "servers" / "system.conf.d"
        self._system_conf.mkdir(parents=True, exist_ok=True)
        (self._system_conf / "aws.conf").write_text(self._default_environment())
        self._mounts_unit = run_dir.resolve() / "servers" / _MOUNTS_UNIT
        self._mounts_unit.write_text(_SHARED_MOUNTS)
        self._wants_mounts = self._mounts_unit.with_suffix(".conf")
        self._wants_mounts.write_text(f"[Unit]\nWants={_MOUNTS_UNIT}\n")

    def launch(self, spec: LaunchSpec) -> None:
        """See Servers.launch. ``user_data`` is served by the metadata service and not run here."""
        name = self._container(spec.instance_id)
        self._podman.run(
            "create", "--name", name, "--hostname", f"ip-{spec.private_ip.replace('.', '-')}",
            "--network", self._settings.name, "--ip", spec.private_ip,
            "--label", self._podman.ownership, "--label", _SERVER,
            # Without it the sandbox of a unit (ProtectSystem=, PrivateTmp=) is silently not enforced.
            "--cap-add", "SYS_ADMIN", "--systemd", "always",
            # A machine's root sees every process: systemd needs it for PrivateUsers= beside ProtectProc=.
            "--cap-add", "SYS_PTRACE",
            # The terminal is the console: what PID 1 and units write there is kept.
            "--tty",
            # /run is a tmpfs of the container: what is mounted below it is in no image.
            "--volume", f"{self._system_conf}:/run/systemd/system.conf.d:ro",
            "--volume", f"{self._mounts_unit}:/run/systemd/system/{_MOUNTS_UNIT}:ro",
            "--volume", f"{self._wants_mounts}:/run/systemd/system/sysinit.target.d/lab-mounts.conf:ro",
            "--pull", "never", self._image(spec.image_id), "/sbin/init",
        )  # fmt: skip
        try:
            if spec.public_key:
                home = f"/home/{spec.login_user}"
                self._podman.run("cp", "--archive=false", "-", f"{name}:{home}", data=_authorized_keys(spec.public_key))
            self._podman.run("start", name)
        except ServersError:
            self._podman.attempt("rm", "--force", "--time", "0", name)
            raise

    def stop(self, instance_id: str) -> None:
        """See Servers.stop."""
        self._podman.run("stop", "--time", str(_SHUTDOWN_SECONDS), self._container(instance_id))

    def start(self, instance_id: str) -> None:
        """See Servers.start."""
        self._podman.run("start", self._container(instance_id))

    def terminate(self, instance_id: str) -> None:
        """See Servers.terminate."""
        self._podman.run("rm", "--force", "--ignore", "--time", str(_SHUTDOWN_SECONDS), self._container(instance_id))
        self._remove_nameless()

    def snapshot(self, instance_id: str, image_id: str) -> None:
        """See Servers.snapshot. A running server is paused meanwhile."""
        try:
            self._podman.run("commit", "--quiet", "--pause", self._container(instance_id), self._image(image_id))
        except ServersError:
            self.remove_image(image_id)
            raise

    def remove_image(self, image_id: str) -> None:
        """See Servers.remove_image."""
        image = self._image(image_id)
        if self._podman.exists("image", image):
            # A server may still run from it, so the name goes now, and the layers when the last one is gone.
            self._podman.run("untag", image, image)
            self._remove_nameless()

    def copy_image(self, source_image_id: str, image_id: str) -> None:
        """See Servers.copy_image."""
        self._podman.run("tag", self._image(source_image_id), self._image(image_id))

    def has_image(self, image_id: str) -> bool:
        """See Servers.has_image."""
        return self._podman.exists("image", self._image(image_id))

    def running(self) -> set[str]:
        """See Servers.running. Costs one podman command."""
        names = self._podman.containers(f"label={_SERVER}", everything=False)
        return {name.removeprefix(f"{self._settings.name}-") for name in names}

    def console_output(self, instance_id: str) -> str:
        """See Servers.console_output."""
        return self._podman.run("logs", "--tail", str(_LOG_LINES), self._container(instance_id))

    def journal(self, instance_id: str) -> str:
        """See Servers.journal."""
        command = ["journalctl", "--no-pager", "--lines", str(_LOG_LINES)]
        journal = self._podman.attempt("exec", self._container(instance_id), *command)
        return journal.stdout.decode(errors="replace") if journal.returncode == 0 else ""

    def close(self) -> None:
        """See Servers.close."""
        self._podman.remove_containers(self._podman.containers(f"label={_SERVER}"))

    def remove_images(self) -> None:
        """Remove the images of all AMIs; the distribution's own stays in the cache."""
        images = self._podman.images(f"{self._settings.image_prefix}/ami-")
        if images:
            self._podman.run("rmi", "--force", *images)
        self._remove_nameless()

    def _remove_nameless(self) -> None:
        """Remove snapshots whose image is gone and that no server runs from; they carry the labels of their server."""
        labels = f"label={self._podman.ownership}"
        nameless = self._podman.run("images", "--quiet", "--filter", "dangling=true", "--filter", labels).split()
        if nameless:
            self._podman.attempt("rmi", *nameless)

    def _container(self, instance_id: str) -> str:
        return f"{self._settings.name}-{instance_id}"

    def _image(self, image_id: str) -> str:
        return _DISTRIBUTIONS.get(image_id, f"{self._settings.image_prefix}/{image_id}")

    def _default_environment(self) -> str:
        values = {
            "AWS_ENDPOINT_URL": self._settings.api_url_for_servers,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._settings.metadata_url,
        }
        pairs = " ".join(f'"{key}={value}"' for key, value in values.items())
        return f"# Where this server finds AWS.\n[Manager]\nDefaultEnvironment={pairs}\n"


def _authorized_keys(public_key: str) -> bytes:
    """A tar archive of .ssh/authorized_keys, as the login user's own."""
    archive, now = io.BytesIO(), int(time.time())
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo(".ssh")
        folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, _UID, _UID
        folder.mtime = now
        tar.addfile(folder)
        content = public_key.strip().encode() + b"\n"
        keys = tarfile.TarInfo(".ssh/authorized_keys")
        keys.size, keys.mode, keys.uid, keys.gid, keys.mtime = len(content), 0o600, _UID, _UID, now
        tar.addfile(keys, io.BytesIO(content))
    return archive.getvalue()
