# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merging sources, and everything that keeps a value from reaching the app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Declaration, Key, Source
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import Configuration
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import merge as merge_contents
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.names import LONGEST_ASSIGNMENT, MOST_IN_FILES
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.stores.content import Content

FIRST = Source("parameter_store", "/shop/prod/")
SECOND = Source("secrets_manager", "shop/prod/rails")


def merge(
    keys: Sequence[Key], contents: Sequence[tuple[Source, Mapping[str, object]]], strict: bool = False
) -> Configuration:
    return merge_contents(Declaration((), tuple(keys), strict), [Content(*content) for content in contents])


def test_later_sources_win_and_undeclared_names_are_known() -> None:
    configuration = merge(
        [Key("A", required=True), Key("B")], [(FIRST, {"A": "1", "C": "3"}), (SECOND, {"A": "2", "D": True})]
    )
    assert configuration.values == {"A": "2", "C": "3", "D": "true"}
    assert configuration.origins["A"] == str(SECOND)
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
        ("A", SECRET + "\ud800", "not text of UTF-8"),
        ("A", SECRET.encode() + b"\xff", "not text of UTF-8"),
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


@pytest.mark.parametrize(
    ("key", "good", "bad", "expected"),
    [
        (Key("A", type="integer"), ["5", "-3", "007"], ["5.0", "", "x", "5 "], "must be an integer"),
        (Key("A", type="number"), ["5", "5.0", "1e3", ".5"], ["", "1,5", "nan"], "must be a number"),
        (Key("A", type="boolean"), ["true", "false", True], ["yes", "1", "True"], "must be true or false"),
        (Key("A", type="json"), ["{}", "[1]", '"x"'], ["{", ""], "must be a JSON text"),
        (Key("A", pattern="^postgres"), ["postgresql://x"], ["mysql://x"], "must match ^postgres"),
        (Key("A", allowed=("debug", "info")), ["info"], ["INFO", ""], "must be one of debug, info"),
        (Key("A", pattern="x", as_file=True), ["x"], [b"x\xff"], "must be text: it is binary"),
    ],
    ids=["integer", "number", "boolean", "json", "pattern", "allowed", "binary"],
)
def test_values_are_what_was_declared(key: Key, good: list[object], bad: list[object], expected: str) -> None:
    for value in good:
        merge([key], [(FIRST, {"A": value})])
    for value in bad:
        with pytest.raises(ConfigError) as caught:
            merge([key], [(FIRST, {"A": value})])
        assert caught.value.problems == (f"A in {FIRST} {expected}",) or expected in caught.value.problems[0]


def test_a_default_stands_in_for_what_no_source_has() -> None:
    keys = [Key("A", default="5"), Key("B", default="6"), Key("C")]
    configuration = merge(keys, [(FIRST, {"B": "7"})])
    assert configuration.values == {"A": "5", "B": "7"}
    assert configuration.origins["A"] == "the declaration's default"


def test_strict_refuses_what_is_not_declared() -> None:
    with pytest.raises(ConfigError, match="B in parameter_store /shop/prod/ is not declared, and the declaration is"):
        merge([Key("A")], [(FIRST, {"A": "1", "B": "2"})], strict=True)


def test_files_hold_what_no_variable_can() -> None:
    keys = [Key("TLS_KEY", as_file=True), Key("BLOB", as_file=True)]
    values = {"TLS_KEY": "-----BEGIN\nx\0y", "BLOB": b"\xff\0"}
    configuration = merge(keys, [(FIRST, values)])
    assert configuration.values == {}
    assert configuration.files == {"TLS_KEY": b"-----BEGIN\nx\0y", "BLOB": b"\xff\0"}
    with pytest.raises(ConfigError, match="TLS_KEY are too much for files"):
        merge(keys, [(FIRST, {"TLS_KEY": "x" * (MOST_IN_FILES + 1)})])
