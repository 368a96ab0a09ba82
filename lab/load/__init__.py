# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open-loop HTTP load client: requests leave at a constant rate, whatever the replies do."""

from __future__ import annotations

from lab.load.process import Load, LoadError
from lab.load.records import Record, Summary, read_records, summarise

__all__ = ["Load", "LoadError", "Record", "Summary", "read_records", "summarise"]
