# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shop's gems are Debian's: the lock is made from the same packages as the image."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_lock_is_made_from_the_packages_of_the_image() -> None:
    script = (EXAMPLES / "shop/bin/lock").read_text(encoding="utf-8")
    found = re.search(r"^  bundler ([a-z -]+) </dev/null$", script, re.MULTILINE)
    assert found is not None
    wanted = yaml.safe_load((EXAMPLES / "ops_repo/image.yml").read_text(encoding="utf-8"))["app_bundle_packages"]
    assert found[1].split() == sorted(wanted)
