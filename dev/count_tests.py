# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sums up the JUnit reports of a test run: ``python dev/count_tests.py FILE…``.

Prints ``N passed, N failed, N skipped``, and before it each skipped test with its reason. Where ``CI=true`` no test
may be skipped: then the exit status is 1.
"""

from __future__ import annotations

import os
import sys
from xml.etree import ElementTree


def main() -> int:
    passed = failed = 0
    skipped = []
    for name in sys.argv[1:]:
        for case in ElementTree.parse(name).iter("testcase"):
            reason = case.find("skipped")
            if reason is not None:
                skipped.append(f"{case.get('classname')}.{case.get('name')}: {reason.get('message')}")
            elif case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            else:
                passed += 1
    for reason_of_one in skipped:
        print(f"test: skipped: {reason_of_one}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if skipped and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
