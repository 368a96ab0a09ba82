# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One hash for everything that an image is made from: the same inputs make the same image, so it is made once."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def hash_path(path: Path, exclude: Sequence[str] = ()) -> str:
    """A hash over names, kinds, contents and executability of a file, or of all that is in a folder.

    Args:
        path: the file or folder.
        exclude: patterns of what doesn't count: one without a slash is compared with the last part of a path, one with
            a slash with all of it below the folder.

    Raises:
        OSError: something can't be read.
    """
    digest = hashlib.sha256()
    for part in [PurePosixPath()] if path.is_file() else _parts(path, exclude):
        file = path / part
        if file.is_symlink():
            digest.update(repr((str(part), "link", os.readlink(file))).encode())
        elif file.is_file():
            digest.update(repr((str(part), "file", bool(file.stat().st_mode & 0o100))).encode())
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        elif file.is_dir():
            digest.update(repr((str(part), "folder")).encode())
    return digest.hexdigest()


def hash_all(parts: Mapping[str, str]) -> str:
    """One hash for named ones."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _parts(folder: Path, exclude: Sequence[str]) -> Iterator[PurePosixPath]:
    for root, folders, files in os.walk(folder):
        here = PurePosixPath(Path(root).relative_to(folder).as_posix())
        folders[:] = sorted(name for name in folders if not _excluded(here / name, exclude))
        yield from (here / name for name in sorted([*folders, *files]) if not _excluded(here / name, exclude))


def _excluded(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(str(path), pattern.removeprefix("/")) if "/" in pattern else fnmatchcase(path.name, pattern)
        for pattern in patterns
    )
