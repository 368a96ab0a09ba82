# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service of the lab: who asks is known by the source address."""

from __future__ import annotations

from lab.metadata.facts import InstanceFacts, Lookup
from lab.metadata.service import MetadataService

__all__ = ["InstanceFacts", "Lookup", "MetadataService"]
