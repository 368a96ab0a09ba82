# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are shown: keys and sources, and never a secret."""

from __future__ import annotations

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Declaration, Key
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.delivery import environment_file
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import Configuration
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.views import (
    difference_lines,
    differences,
    entries,
    entry_lines,
)

SECRET = "s3cret"
ORIGINS = {"A": "first", "B": "second", "F": "second"}


def test_secrets_are_hidden_and_the_rest_is_shown() -> None:
    configuration = Configuration({"A": SECRET, "B": "5"}, {"F": SECRET.encode()}, ORIGINS, undeclared=("A",))
    lines = list(entry_lines(entries(Declaration((), (Key("B", secret=False), Key("F", as_file=True))), configuration)))
    assert lines == [
        "A = (secret) from first (variable, 6 bytes, not declared)",
        "B = '5' from second (variable, 1 bytes)",
        "F = (secret) from second (file, 6 bytes)",
    ]


def test_differences_are_told_by_key_alone() -> None:
    tricky = 'x"\nB="no key of its own\\'
    there = (environment_file({"A": tricky, "C": "1", "D": "1"}).encode(), {"F": b"old"})
    configuration = Configuration({"A": tricky, "B": SECRET, "C": "2"}, {"F": b"new"}, ORIGINS)
    assert list(difference_lines(differences(there, configuration))) == [
        "B added in second",
        "C changed",
        "D removed",
        "F changed in second",
    ]
