# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd reads. That it reads it back to the same bytes is shown on a booted server (tests/lab/config_pull)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.delivery import environment_file, read, write
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import Configuration


def made(values: dict[str, str], files: dict[str, bytes] | None = None) -> Configuration:
    return Configuration(values, files or {}, {})


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", 'A=""\n'),
        ("plain", 'A="plain"\n'),
        ("# ; ' =", 'A="# ; \' ="\n'),
        ('a"b', 'A="a\\"b"\n'),
        ("$HOME `id` \\", 'A="\\$HOME \\`id\\` \\\\"\n'),
        ("two\nlines\r\n", 'A="two\nlines\r\n"\n'),
    ],
)
def test_quoting(value: str, line: str) -> None:
    assert environment_file({"A": value}) == line


def test_written_for_root_alone_and_in_one_step(tmp_path: Path) -> None:
    root = tmp_path / "immutable"
    current = write(root, made({"B": "2", "A": "1\r\n"}, {"KEY": b"\0"}))
    assert current == root / "current"
    assert read(root) == (b'A="1\r\n"\nB="2"\n', {"KEY": b"\0"})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in current.rglob("*")}
    assert modes == {"config.env": 0o400, "files": 0o700, "KEY": 0o400}
    assert stat.S_IMODE(current.stat().st_mode) == stat.S_IMODE(root.stat().st_mode) == 0o700
    before = os.open(current / "config.env", os.O_RDONLY)
    write(root, made({"A": "3"}))
    assert read(root) == (b'A="3"\n', {})
    assert os.pread(before, 100, 0) == b'A="1\r\n"\nB="2"\n'
    os.close(before)
    assert len(list(root.iterdir())) == 2


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    root = tmp_path / "immutable"
    write(root, made({"A": "old"}))
    with pytest.raises(ConfigError, match="immutable can't be written: ") as caught:
        write(root, made({"A": "new"}, {"a/b": b"x"}))
    assert caught.value.code is Exit.DELIVERY
    assert read(root) == (b'A="old"\n', {})
    assert len(list(root.iterdir())) == 2


def test_nowhere_to_write_and_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        write(tmp_path / "no" / "where", made({"A": "1"}))
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        read(tmp_path)
