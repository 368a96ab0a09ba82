# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two root file systems of the lab, cached as podman images: the distribution's, and the stores' on top of it."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Image label with the hash of all that went into the image.
INPUTS_LABEL = "immutable-lab.inputs"
#: Image label with the day the image was made (YYYYMMDD), as in the names of Debian's AMIs.
DATE_LABEL = "immutable-lab.date"
_LOCK = Path("/run/lock/immutable-lab-images")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of the images that all labs on the machine share: of two that start at once only one makes them."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def inputs_hash(folder: Path, *texts: str) -> str:
    """Hash of the texts and of all files under the folder (names, whether they can be run, contents)."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_mode & 0o111:o}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]
