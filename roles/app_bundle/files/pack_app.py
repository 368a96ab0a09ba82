# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack an app's directory into one archive: ``pack_app.py DIRECTORY ARCHIVE [PATTERN…]``.

Prints a SHA-256 over names, kinds and contents: the same for the same files, whoever owns them and whenever they were
written, so that it tells whether there is anything to install. Runs on the controller, on any system with Python,
with or without GNU tar.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


def is_excluded(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Tell whether a path (relative to the app) is left out.

    A pattern without a slash is compared with the last part of the path, one with a slash with all of it; a slash at
    its beginning stands for the app's directory.
    """
    return any(
        fnmatchcase(str(path), pattern.removeprefix("/")) if "/" in pattern else fnmatchcase(path.name, pattern)
        for pattern in patterns
    )


def wanted_paths(directory: Path, patterns: Sequence[str]) -> Iterator[PurePosixPath]:
    """Yield what is packed, relative to ``directory``, a directory before what lies in it.

    Links are not followed, and sockets (a running server's) are left out: no archive can hold them.
    """
    for root, directories, files in os.walk(directory):
        here = PurePosixPath(Path(root).relative_to(directory).as_posix())
        directories[:] = sorted(name for name in directories if not is_excluded(here / name, patterns))
        for name in sorted([*directories, *files]):
            if not is_excluded(here / name, patterns) and not Path(root, name).is_socket():
                yield here / name


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return the member as it shall be on the server: root's, writable by root alone, executable where it was."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def pack(directory: Path, archive: Path, patterns: Sequence[str]) -> str:
    """Write the archive and return the sum of what is in it, in hexadecimal.

    Raises:
        OSError: a file could not be read, or the archive not be written.
    """
    seen = hashlib.sha256()
    # The fastest level: the archive is sent once, mostly over a fast line.
    with tarfile.open(archive, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for path in wanted_paths(directory, patterns):
            source = directory / path
            member = plain(tar.gettarinfo(str(source), arcname=str(path)))
            seen.update(repr((member.name, member.type, member.mode, member.linkname)).encode())
            if member.isreg():
                with source.open("rb") as content:
                    seen.update(hashlib.file_digest(content, "sha256").digest())
                    content.seek(0)
                    tar.addfile(member, content)
            else:
                tar.addfile(member)
    return seen.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Pack, print the sum, and return the exit code."""
    if len(arguments) < 2:
        print("usage: pack_app.py DIRECTORY ARCHIVE [PATTERN…]", file=sys.stderr)
        return 2
    directory, archive, *patterns = arguments
    try:
        print(pack(Path(directory), Path(archive), patterns))
    except OSError as error:
        print(f"the app in {directory} could not be packed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
