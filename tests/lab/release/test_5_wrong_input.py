# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input gets one line that says what to do, and nothing is half made."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.settings import CHECKOUT
from tests.lab.shop import Shop

WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "no env": ("deploy", {}, "-e env="),
    "an env that nobody wrote a file for": ("deploy", {"env": "production"}, "prod, staging"),
    "an image that doesn't exist": (
        "deploy",
        {"env": "prod", "image": "ami-00000000000000000"},
        "use 'newest', one of",
    ),
    "an app without a Gemfile.lock": ("bake", {"app_dir": str(CHECKOUT / "docs")}, "Gemfile.lock does not exist"),
    "an app that isn't there": ("bake", {"app_dir": "/nowhere"}, "/nowhere"),
    "no app": ("bake", {}, "-e app_dir="),
    "a stage that isn't one": ("bake", {"app_dir": str(CHECKOUT), "stage": "final"}, "base, app or all"),
}


@pytest.mark.parametrize(("playbook", "extra", "hint"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input(shop: Shop, playbook: str, extra: dict[str, str], hint: str) -> None:
    before = shop.cloud.everything()
    said = shop.refuses(playbook, **extra)
    assert hint in said
    assert "Traceback" not in said
    assert shop.cloud.everything() == before


def test_an_env_without_an_edge(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "qa.yml").write_text("---\napp: shop\nregion: eu-west-1\ncapacity: {min: 1, max: 2}\n")
    with pytest.raises(Exception, match=r"environment\.yml -e env=qa"):
        shop.commands.run("qa", ["ansible-playbook", "immutable.ec2.deploy", "-e", "env=qa"], tmp_path)
