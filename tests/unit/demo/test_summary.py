# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""build/demo/summary.json has the agreed form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab.demo.journal import Journal
from lab.demo.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.demo.conftest import Swapped

NUMBER = (int, float)
FORM: dict[str, Any] = {
    "bakes": [{"image": str, "seconds": NUMBER}],
    "deployments": [{"env": str, "release": str, "seconds": NUMBER, "result": str}],
    "load": {"requests": int, "failed": int, "p50_ms": NUMBER, "p99_ms": NUMBER},
    "rollback_seconds": NUMBER,
    "images_before": int,
    "images_after": int,
}


def assert_form(value: object, form: Any, at: str = "summary") -> None:
    """The value has exactly the keys of the form, and values of its types; lists are not empty."""
    if isinstance(form, dict):
        assert isinstance(value, dict), at
        assert set(value) == set(form), at
        for key in form:
            assert_form(value[key], form[key], f"{at}.{key}")
    elif isinstance(form, list):
        assert isinstance(value, list), at
        assert value, at
        for number, item in enumerate(value):
            assert_form(item, form[0], f"{at}[{number}]")
    else:
        assert isinstance(value, form), at
        assert not isinstance(value, bool), at


def test_summary_of_a_run(swapped: Swapped) -> None:
    assert_form(swapped.run.summary(), FORM)


def test_summary_as_it_is_written(swapped: Swapped, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.run = Run.read(swapped.folder / "run.json")
    journal.write()
    assert json.loads((tmp_path / "summary.json").read_text()) == swapped.run.summary()
    assert Run.read(tmp_path / "run.json") == swapped.run


def test_figures_that_were_not_reached_are_null() -> None:
    summary = Run(0.0, "a machine").summary()
    assert set(summary) == set(FORM)
    assert (summary["load"], summary["rollback_seconds"], summary["images_after"]) == (None, None, None)


def test_the_form_is_looked_at_closely(swapped: Swapped) -> None:
    summary = swapped.run.summary()
    summary["load"]["failed"] = "0"
    with pytest.raises(AssertionError, match=r"summary\.load\.failed"):
        assert_form(summary, FORM)


def test_a_phase_that_fails_is_not_recorded_as_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ValueError, match="broken"), journal.phase("break"):
        raise ValueError("broken")
    with journal.phase("work") as note:
        note.outcome = "done"
    assert [(phase.name, phase.outcome) for phase in journal.run.phases] == [("work", "done")]
