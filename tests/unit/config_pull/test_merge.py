# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merging sources, and everything that keeps a value from reaching the app."""

from __future__ import annotations

import pytest

from roles.config_pull.files.config_pull.declaration import Key, Source
from roles.config_pull.files.config_pull.errors import ConfigError, Exit
from roles.config_pull.files.config_pull.merge import merge
from roles.config_pull.files.config_pull.names import LONGEST_ASSIGNMENT

FIRST = Source("parameter_store", "/shop/prod/")
SECOND = Source("secrets_manager", "shop/prod/rails")


def test_later_sources_win_and_undeclared_names_are_known() -> None:
    configuration = merge(
        [Key("A", required=True), Key("B")], [(FIRST, {"A": "1", "C": "3"}), (SECOND, {"A": "2", "D": True})]
    )
    assert configuration.values == {"A": "2", "C": "3", "D": "true"}
    assert configuration.origins["A"] is SECOND
    assert configuration.undeclared == ("C", "D")
    assert "'2'" not in repr(configuration)


SECRET = "s3cret"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PATH", SECRET, "is refused"),
        ("LD_PRELOAD", SECRET, "is refused"),
        ("BUNDLE_GEMFILE", SECRET, "is refused"),
        ("RUBYOPT", SECRET, "is refused"),
        ("RELEASE", SECRET, "is refused"),
        ("1A", SECRET, "is not a name"),
        ("a/b", SECRET, "is not a name"),
        ("A\n", SECRET, "is not a name"),
        ("", SECRET, "is not a name"),
        ("A", SECRET + "\0", "zero byte"),
        ("A", SECRET + "\ufffe", "systemd refuses"),
        ("A", SECRET + "\ud800", "systemd refuses"),
        ("A", SECRET + "\U0001ffff", "systemd refuses"),
        ("A", SECRET * LONGEST_ASSIGNMENT, "too long"),
        ("A", None, "must be a string"),
        ("A", {"x": SECRET}, "must be a string"),
        ("A", [SECRET], "must be a string"),
    ],
)
def test_what_cannot_or_may_not_be_set(name: str, value: object, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merge([], [(FIRST, {name: value})])
    assert caught.value.code is Exit.INCOMPLETE
    (text,) = caught.value.problems
    assert text.startswith(repr(name))
    assert problem in text
    assert "/shop/prod/" in text
    assert SECRET not in text


def test_the_longest_value_that_a_process_can_get() -> None:
    value = "x" * (LONGEST_ASSIGNMENT - len("A="))
    assert merge([], [(FIRST, {"A": value})]).values == {"A": value}
    with pytest.raises(ConfigError, match="too long"):
        merge([], [(FIRST, {"A": value + "x"})])


def test_all_mistakes_at_once() -> None:
    keys = [Key("A", required=True), Key("B", required=True), Key("C", required=True), Key("D")]
    with pytest.raises(ConfigError) as caught:
        merge(keys, [(FIRST, {"A": "", "PATH": "x"}), (SECOND, {"C": None})])
    assert caught.value.problems == (
        "'PATH' in parameter_store /shop/prod/ is refused: it would change how programs on the server are found or run",
        "'C' in secrets_manager shop/prod/rails must be a string, a number or a boolean",
        "A is required and empty in parameter_store /shop/prod/",
        "B is required and missing; looked in parameter_store /shop/prod/, secrets_manager shop/prod/rails",
    )
