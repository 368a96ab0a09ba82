# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release may be deployed, by what the bucket shows of its assets."""

from __future__ import annotations

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.deployment.assets import Found, judge

REFUSED, REMARK, NOTHING = "refused", "remark", "nothing"


@pytest.mark.parametrize(
    ("assets", "found", "rolls_back", "expected"),
    [
        ("auto", Found.KEPT, False, NOTHING),
        ("auto", Found.NO_BUCKET, False, REMARK),
        ("auto", Found.NO_RELEASE, False, REFUSED),
        ("auto", Found.NO_RELEASE, True, REMARK),
        ("bucket", Found.KEPT, False, NOTHING),
        ("bucket", Found.NO_BUCKET, False, REFUSED),
        ("bucket", Found.NO_RELEASE, False, REFUSED),
        ("bucket", Found.NO_RELEASE, True, REMARK),
        ("bucket", Found.NO_BUCKET, True, REMARK),
        ("cdn", Found.KEPT, False, NOTHING),
        ("cdn", Found.NO_RELEASE, False, REFUSED),
    ],
)
def test_a_release_whose_assets_are_not_kept_gets_no_traffic(
    assets: str, found: Found, rolls_back: bool, expected: str
) -> None:
    refusal, remark = judge(assets, found, "shop-artifacts", "r2", rolls_back)
    assert (bool(refusal), bool(remark)) == (expected == REFUSED, expected == REMARK)
    for words in filter(None, (refusal, remark)):
        assert "shop-artifacts" in words and "\n" not in words
    if refusal:
        assert "nothing was changed" in refusal and "assets: none" in refusal
