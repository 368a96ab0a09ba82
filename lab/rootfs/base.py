# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The distributions' images: Debian as its AMIs are, without a kernel and with a container instead of cloud-init."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from lab.podman import Podman
from lab.rootfs import DATE_LABEL, INPUTS_LABEL, archive, inputs_hash, one_at_a_time
from lab.settings import BASE_IMAGE, OLDER_BASE_IMAGE, LabError

#: The suite that each image is made of.
SUITES = {BASE_IMAGE: "trixie", OLDER_BASE_IMAGE: "bookworm"}
FILES = Path(__file__).parent / "files"
#: What Debian 12 gets besides.
OLDER = Path(__file__).parent / "older"
PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "openssh-server",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)


@one_at_a_time()
def ensure(podman: Podman, work_dir: Path, image: str = BASE_IMAGE) -> float | None:
    """Make the image where it is missing or its inputs have changed. Returns the seconds it took, or None.

    Raises LabError where mmdebstrap is missing or fails.
    """
    suite = SUITES[image]
    sources = archive.sources(suite)
    folders = [FILES, OLDER] if image == OLDER_BASE_IMAGE else [FILES]
    wanted = inputs_hash(FILES, *PACKAGES, *sources, *(inputs_hash(folder) for folder in folders[1:]))
    if podman.label(image, INPUTS_LABEL) == wanted:
        return None
    if not shutil.which("mmdebstrap"):
        raise LabError("mmdebstrap is missing: install it (apt-get install mmdebstrap)")
    started = time.monotonic()
    work_dir.mkdir(parents=True, exist_ok=True)
    tarball = work_dir / f"{suite}.tar"
    log = work_dir / "log" / f"rootfs-{suite}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--variant=minbase", "--architectures=amd64", f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt={FILES / 'dpkg.cfg'}", '--aptopt=Acquire::Languages "none"']
    command += [f"--customize-hook={folder / 'customize'}" for folder in folders]
    command += [suite, str(tarball), *sources]
    try:
        with log.open("w") as output:
            code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
        if code:
            last = log.read_text().strip().splitlines()[-1:] or [f"exit code {code}"]
            raise LabError(f"the base image could not be made: {last[0]}; all of it is in {log}")
        day = time.strftime("%Y%m%d", time.gmtime())
        changes = [f"LABEL {INPUTS_LABEL}={wanted}", f"LABEL {DATE_LABEL}={day}"]
        options = [option for change in changes for option in ("--change", change)]
        podman.replace_image(image, "import", "--quiet", *options, str(tarball), image)
    finally:
        tarball.unlink(missing_ok=True)
    return time.monotonic() - started
