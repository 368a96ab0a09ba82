# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the configuration where systemd reads it, as a whole or not at all.

Below the root lie generations, each a folder with ``config.env`` (an EnvironmentFile) and ``files/`` (what
LoadCredential= takes), and the link ``current`` to one of them. A generation is complete before the link turns to it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import ConfigError, Exit
from .merge import Configuration

ESCAPED = str.maketrans({character: f"\\{character}" for character in '\\"$`'})
CURRENT, VARIABLES, FILES = "current", "config.env", "files"
_GENERATION = "generation-"


def environment_file(values: Mapping[str, str]) -> str:
    """Return an EnvironmentFile that systemd reads back to exactly these values.

    Inside double quotes only backslash, double quote, dollar and backtick are escaped; everything else, newlines
    included, stands for itself (systemd.exec(5), EnvironmentFile=).
    """
    return "".join(f'{name}="{value.translate(ESCAPED)}"\n' for name, value in sorted(values.items()))


def write(root: Path, configuration: Configuration) -> Path:
    """Write for root's eyes only; who reads through ``current`` sees the old state or the new one, never a part.

    Returns:
        the path of ``current``.

    Raises:
        ConfigError: it could not be written; what was there before still is, and nothing of the new is left.
    """
    made: Path | None = None
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=root, prefix=_GENERATION))
        (made / FILES).mkdir(mode=0o700)
        _write(made / VARIABLES, environment_file(configuration.values).encode())
        for name, content in configuration.files.items():
            _write(made / FILES / name, content)
        _turn(root, made)
    except OSError as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise ConfigError(Exit.DELIVERY, f"{root} can't be written: {error.strerror}") from None
    _remove_others(root, made)
    return root / CURRENT


def read(root: Path) -> tuple[bytes, dict[str, bytes]]:
    """What ``current`` holds: the EnvironmentFile and the files.

    Raises:
        ConfigError: there is none.
    """
    current = root / CURRENT
    try:
        files = {path.name: path.read_bytes() for path in (current / FILES).iterdir()}
        return (current / VARIABLES).read_bytes(), files
    except OSError as error:
        raise ConfigError(Exit.DELIVERY, f"{current} can't be read: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _turn(root: Path, to: Path) -> None:
    """Let ``current`` lead to a generation, in one step."""
    link = to / CURRENT
    link.symlink_to(to.name)
    link.rename(root / CURRENT)


def _remove_others(root: Path, kept: Path) -> None:
    """Earlier generations, and what a run left that was killed. Nobody reads them: the link leads elsewhere."""
    for path in root.glob(f"{_GENERATION}*"):
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)
