# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the configuration where systemd reads it: an EnvironmentFile, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import ConfigError, Exit

ESCAPED = str.maketrans({character: f"\\{character}" for character in '\\"$`'})


def environment_file(values: Mapping[str, str]) -> str:
    """Return an EnvironmentFile that systemd reads back to exactly these values.

    Inside double quotes only backslash, double quote, dollar and backtick are escaped; everything else, newlines
    included, stands for itself (systemd.exec(5), EnvironmentFile=).
    """
    return "".join(f'{name}="{value.translate(ESCAPED)}"\n' for name, value in sorted(values.items()))


def write(path: Path, values: Mapping[str, str]) -> None:
    """Write the file for root's eyes only, in one step: a reader sees the old one or the new one, never a part.

    Raises:
        ConfigError: it could not be written; nothing of it is left.
    """
    temporary: str | None = None
    try:
        # The temporary file is made 0600 and in the same directory, so that the rename is atomic.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(environment_file(values))
            file.flush()
            os.fchmod(file.fileno(), 0o400)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise ConfigError(Exit.DELIVERY, f"{path} can't be written: {error.strerror}") from error
