# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what a scenario's containers need: podman's configuration for this machine, and the lab's root file systems."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.podman import Podman
from lab.rootfs import base
from lab.settings import BASE_IMAGE, OLDER_BASE_IMAGE, LabError

IMAGES = {"13": BASE_IMAGE, "12": OLDER_BASE_IMAGE}


def main(folder: Path, releases: list[str]) -> None:
    """Write containers.conf to the folder, make the images of these releases of Debian where they are missing."""
    try:
        for release in releases:
            base.ensure(Podman(folder), folder, IMAGES[release])
    except LabError as error:
        raise SystemExit(f"molecule: {error}") from error


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
