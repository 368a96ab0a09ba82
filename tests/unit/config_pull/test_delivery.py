# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that systemd reads. That systemd reads it back to the same bytes is shown on a booted server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from roles.config_pull.files.config_pull.delivery import environment_file, write
from roles.config_pull.files.config_pull.errors import ConfigError, Exit


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
    path = tmp_path / "config.env"
    write(path, {"B": "2", "A": "1\r\n"})
    assert path.read_bytes() == b'A="1\r\n"\nB="2"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    before = path.stat().st_ino
    write(path, {"A": "3"})
    assert path.read_text() == 'A="3"\n'
    assert path.stat().st_ino != before
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.env"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.env").mkdir()
    with pytest.raises(ConfigError, match=r"config\.env can't be written: ") as caught:
        write(tmp_path / "config.env", {"A": "1"})
    assert caught.value.code is Exit.DELIVERY
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.env"]
    with pytest.raises(ConfigError, match="No such file or directory"):
        write(tmp_path / "nowhere" / "config.env", {"A": "1"})
