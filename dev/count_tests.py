# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sums up the JUnit reports of a test run: ``python dev/count_tests.py FILE…``.

Prints ``N passed, N failed, N skipped``, and before it each skipped test with its reason and each failed one with the
end of what it said. Where ``CI=true`` no test may be skipped: then the exit status is 1.
"""

from __future__ import annotations

import os
import sys
from xml.etree import ElementTree

# Lines of a failure's report that are repeated: the assertion and what it compared stand at its end.
LINES_OF_A_FAILURE = 25


def main() -> int:
    passed = 0
    failed = []
    skipped = []
    for name in sys.argv[1:]:
        for case in ElementTree.parse(name).iter("testcase"):
            test = f"{case.get('classname')}.{case.get('name')}"
            reason = case.find("skipped")
            failure = next(iter(case.findall("failure") + case.findall("error")), None)
            if reason is not None:
                skipped.append(f"{test}: {reason.get('message')}")
            elif failure is not None:
                failed.append("\n    ".join([test, *(failure.text or "").splitlines()[-LINES_OF_A_FAILURE:]]))
            else:
                passed += 1
    for one in skipped:
        print(f"test: skipped: {one}")
    for one in failed:
        print(f"test: failed: {one}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if skipped and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
