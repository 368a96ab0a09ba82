# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of compiled assets that the bake left on the controller."""

from __future__ import annotations

import hashlib
import mimetypes
import tarfile
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import DIGESTED
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FOR_EVER: t.Final = "public, max-age=31536000, immutable"
A_WHILE: t.Final = "public, max-age=300"
"""For files without a digest, which a CDN may be asked for: servers don't look for them in the bucket."""

# Python's own table lacks them, or has an older name.
TYPES: t.Final = {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


class Archive:
    """Assets by the path that they are asked for, without the slash at its beginning.

    Args:
        path: a tar archive, compressed or not.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def digests(self) -> dict[str, str]:
        """Path → the content's MD5 in hex, which is how S3 tells contents apart.

        Raises:
            Refused: the archive can't be read.
        """
        return {path: hashlib.md5(content, usedforsecurity=False).hexdigest() for path, content in self._files(None)}

    def contents(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of the assets of these paths."""
        return self._files(frozenset(paths))

    def _files(self, paths: frozenset[str] | None) -> Iterator[tuple[str, bytes]]:
        try:
            with tarfile.open(self._path) as archive:
                for member in archive:
                    path = member.name.removeprefix("./")
                    if not member.isreg() or not _served(path) or (paths is not None and path not in paths):
                        continue
                    file = archive.extractfile(member)
                    if file is not None:
                        yield path, file.read()
        except (OSError, tarfile.TarError, EOFError) as error:
            why = getattr(error, "strerror", None) or str(error).partition(":\n")[0]
            raise Refused(f"the archive of assets {self._path} can't be read: {why}; bake the release again") from error


def _served(path: str) -> bool:
    """Whether a file is for browsers: not a pipeline's own list, and no copy that is compressed already, since servers
    and CDNs compress themselves and nobody asks for one by its name."""
    return not path.endswith((".gz", ".br")) and not any(part.startswith(".") for part in path.split("/"))


def content_type(path: str) -> str:
    """What kind of content a file of this name has."""
    ending = path[path.rfind(".") :].lower()
    return TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def cache_control(path: str) -> str:
    """How long a browser or CDN may keep it."""
    return FOR_EVER if DIGESTED.search(path) else A_WHILE
