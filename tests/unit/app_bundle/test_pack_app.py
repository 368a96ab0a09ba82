# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive of an app: what is in it, and that the same files give the same one."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from roles.app_bundle.files import pack_app


@pytest.fixture(name="app")
def fixture_app(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    for name in ("Gemfile", "bin/rails", "config/master.key", "app/tmp/a", "tmp/cache/x", "lib/.git/HEAD", ".env.prod"):
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (app / "bin/rails").chmod(0o775)
    (app / "current").symlink_to("bin/rails")
    return app


def members(archive: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar}


def test_patterns_with_and_without_a_slash(app: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    pack_app.pack(app, archive, [".git", ".env*", "config/*.key", "/tmp"])
    assert set(members(archive)) == {
        "Gemfile",
        "app",
        "app/tmp",
        "app/tmp/a",
        "bin",
        "bin/rails",
        "config",
        "current",
        "lib",
    }


def test_files_are_roots_and_writable_by_nobody_else(app: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    pack_app.pack(app, archive, [])
    found = members(archive)
    assert {(m.uid, m.gid, m.uname) for m in found.values()} == {(0, 0, "root")}
    assert found["bin/rails"].mode == 0o755
    assert found["Gemfile"].mode == 0o644
    assert found["current"].issym()


def test_same_files_same_sum_other_content_other_sum(app: Path, tmp_path: Path) -> None:
    first = pack_app.pack(app, tmp_path / "1", [])
    (app / "Gemfile").touch()
    (app / "Gemfile").chmod(0o600)
    assert pack_app.pack(app, tmp_path / "2", []) == first
    (app / "Gemfile").write_text("changed")
    assert pack_app.pack(app, tmp_path / "3", []) != first


def test_what_cannot_be_packed_is_one_line(app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack_app.main([str(app), str(tmp_path / "nowhere/a.tar.gz")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"the app in {app} could not be packed: ")
    assert err.count("\n") == 1
