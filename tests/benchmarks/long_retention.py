# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same as `bench_retention` for 50,000 images, of our own retention alone, once."""

from __future__ import annotations

from tests.benchmarks.bench_retention import save, served
from tests.benchmarks.compared import FIRST_RUN, OURS

SIZE = 50_000


def main() -> None:
    with served(SIZE) as account:
        for tool in (OURS, FIRST_RUN):
            save({str(SIZE): account.measured([tool], runs=1)})


if __name__ == "__main__":
    main()
