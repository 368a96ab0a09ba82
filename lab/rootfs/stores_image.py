# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the stores: the base image with PostgreSQL and Redis."""

from __future__ import annotations

import time
from pathlib import Path

from lab.podman import Podman
from lab.rootfs import INPUTS_LABEL, inputs_hash, one_at_a_time
from lab.settings import BASE_IMAGE, STORES_IMAGE, LabError, Settings

FILES = Path(__file__).parent / "stores"
#: Every lab's network lies in it; PostgreSQL answers to nobody else.
_RANGE = "10.0.0.0/8"


@one_at_a_time()
def ensure(podman: Podman, settings: Settings) -> float | None:
    """Make the image where it is missing, or it or its base has changed. Returns the seconds it took, or None.

    The base image and the lab's network must exist. Raises LabError where a package can't be installed.
    """
    wanted = inputs_hash(FILES, str(podman.label(BASE_IMAGE, INPUTS_LABEL)), _RANGE)
    if podman.label(STORES_IMAGE, INPUTS_LABEL) == wanted:
        return None
    started = time.monotonic()
    builder = f"{settings.name}-stores-builder"
    podman.attempt("rm", "--force", "--time", "0", builder)
    try:
        made = podman.attempt(
            "run", "--name", builder, "--label", podman.ownership, "--network", settings.name,
            "--env", "DEBIAN_FRONTEND=noninteractive", "--env", "LANG=C.UTF-8",
            "--volume", f"{FILES}:/mnt:ro", "--pull", "never", BASE_IMAGE, "/mnt/install", _RANGE,
        )  # fmt: skip
        if made.returncode:
            said = made.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {made.returncode}"]
            raise LabError(f"the stores' image could not be made (PostgreSQL, Redis): {said[0]}")
        podman.replace_image(
            STORES_IMAGE, "commit", "--quiet", "--change", f"LABEL {INPUTS_LABEL}={wanted}", builder, STORES_IMAGE
        )
    finally:
        podman.attempt("rm", "--force", "--time", "0", builder)
    return time.monotonic() - started
