# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what a scenario's container needs: podman's configuration for this machine, and the lab's root file system."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.podman import Podman
from lab.rootfs import base
from lab.settings import BASE_IMAGE, LabError


def main(folder: Path) -> None:
    """Write containers.conf to the folder, make the image where it is missing, print the image's name."""
    try:
        base.ensure(Podman(folder), folder)
    except LabError as error:
        raise SystemExit(f"molecule: {error}") from error
    print(BASE_IMAGE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
