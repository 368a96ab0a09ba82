# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken from the archive of a bake, and how it is kept."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest
import yaml

from ansible_collections.immutable.ec2.plugins.module_utils.assets.archive import (
    A_WHILE,
    FOR_EVER,
    Archive,
    cache_control,
    content_type,
)
from ansible_collections.immutable.ec2.plugins.module_utils.assets.naming import DIGESTED
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused

DEFAULTS = Path(__file__).parents[3] / "roles/app_units/defaults/main.yml"


def pack(path: Path, *names: str) -> Archive:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return Archive(str(path))


def test_what_browsers_ask_for_is_taken_and_nothing_else(tmp_path: Path) -> None:
    names = (
        "assets/x-12345678.css",
        "assets/x-12345678.css.gz",
        "assets/x.js.br",
        "assets/.manifest.json",
        "packs/.a/b.js",
    )
    archive = pack(tmp_path / "assets.tar.gz", *names)
    digest = hashlib.md5(b"assets/x-12345678.css", usedforsecurity=False).hexdigest()
    assert archive.digests() == {"assets/x-12345678.css": digest}
    assert list(archive.contents(["assets/x-12345678.css"])) == [("assets/x-12345678.css", b"assets/x-12345678.css")]
    assert list(archive.contents([])) == []


def test_an_app_without_assets_has_an_empty_archive(tmp_path: Path) -> None:
    assert pack(tmp_path / "assets.tar.gz").digests() == {}


@pytest.mark.parametrize("content", [None, b"no archive", b"\x1f\x8b\x08broken"])
def test_an_archive_that_cant_be_read_is_told_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "assets.tar.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused, match=r"\Athe archive of assets \S+ can't be read: .+; bake the release again\Z"):
        Archive(str(path)).digests()


@pytest.mark.parametrize(
    ("path", "kind", "keeping"),
    [
        ("assets/application-0a1b2c3d.css", "text/css", FOR_EVER),  # Propshaft
        ("assets/application-" + "0a" * 32 + ".js", "text/javascript", FOR_EVER),  # Sprockets 4
        ("assets/inter-" + "0a" * 16 + ".woff2", "font/woff2", FOR_EVER),  # Sprockets 2
        ("packs/js/application-0a1b2c3d4e5f60718293.js.map", "application/json", FOR_EVER),  # Webpacker
        ("vite/assets/application.BQ-3x_9Z.js", "text/javascript", FOR_EVER),  # Vite
        ("assets/main-QRSTUV12.digested.js", "text/javascript", FOR_EVER),  # esbuild
        ("assets/logo-0a1b2c3d.svg", "image/svg+xml", FOR_EVER),
        ("assets/tinymce/skins/skin.css", "text/css", A_WHILE),
        ("assets/README", "application/octet-stream", A_WHILE),
    ],
)
def test_the_kind_of_a_file_and_how_long_it_may_be_kept_follow_from_its_name(
    path: str, kind: str, keeping: str
) -> None:
    assert (content_type(path), cache_control(path)) == (kind, keeping)


def test_servers_look_for_what_the_bucket_takes_for_digested() -> None:
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    assert re.compile(defaults["app_units_digest_pattern"]) == DIGESTED
