# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report tells what the load client saw, all of it, and loads nothing from anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.demo.report.__main__ import write_picture, write_report
from lab.demo.report.chart import describe
from lab.demo.report.page import page
from lab.demo.report.series import by_phase, traffic
from lab.demo.report.style import hues, names
from lab.demo.report.svg import clock, ticks, time_ticks
from lab.demo.run import Run, Weights
from lab.load import Record
from tests.unit.demo.real_swap import RELEASES

if TYPE_CHECKING:
    from tests.unit.demo.conftest import Swapped

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "rect", "line", "path"}


def test_every_request_of_a_whole_second_is_in_the_series(swapped: Swapped) -> None:
    series = swapped.traffic
    counted = sum(series.failed) + sum(map(sum, series.releases.values()))
    whole = [record for record in swapped.records if record.t < series.begin + series.seconds]
    assert counted == len(whole) > 1000
    # The rate was held: so many in each second, one more or less at its ends.
    for second in range(series.seconds):
        assert sum(counts[second] for counts in series.releases.values()) == pytest.approx(220, abs=2)


def test_the_swap_is_seen_where_the_weights_changed(swapped: Swapped) -> None:
    series = swapped.traffic
    stretches = sorted((first, last, release) for release in series.releases for first, last in series.share(release))
    blue, green = RELEASES["blue"], RELEASES["green"]
    assert [release for _, _, release in stretches] == [blue, green, blue, green]
    changed = [sample.t - series.begin for sample in swapped.run.weights[1:]]
    for (first, _, _), moment in zip(stretches[1:], changed, strict=True):
        assert first == pytest.approx(moment, abs=1)


def test_an_outage_is_shown_in_full(crashed: Swapped) -> None:
    assert crashed.run.load is not None
    assert crashed.run.load.failed > 50
    assert sum(crashed.traffic.failed) == crashed.run.load.failed
    html = page(crashed.run, crashed.traffic, crashed.records)
    assert f"{crashed.run.load.failed:,} requests failed" in html
    assert "no request failed" not in html.lower()
    assert html.count('class="failed"') >= 2


def test_no_failure_is_said_as_such(swapped: Swapped) -> None:
    assert "no request failed" in page(swapped.run, swapped.traffic, swapped.records)


def test_phases_share_out_all_requests(swapped: Swapped) -> None:
    figures = by_phase(swapped.run, swapped.records)
    assert [phase.name for phase, _ in figures] == ["promote", "roll back", "deploy again", "retire"]
    # Few fall between two phases, or after the last.
    assert sum(summary.requests for _, summary in figures) == pytest.approx(len(swapped.records), abs=20)


class _Page(HTMLParser):
    """Collects addresses, and tags that were never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_complete_and_needs_nothing_else(swapped: Swapped) -> None:
    text = write_report(swapped.folder).read_text(encoding="utf-8")
    parsed = _Page()
    parsed.feed(text)
    assert parsed.open == []
    assert parsed.addresses == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "script" not in parsed.tags
    assert parsed.tags.count("svg") == 2
    assert 'lang="en"' in text
    assert "prefers-color-scheme: dark" in text


def test_the_picture_is_well_formed_and_has_every_band(swapped: Swapped, tmp_path: Path) -> None:
    write_picture(swapped.folder, tmp_path / "images" / "swap.svg")
    root = ElementTree.parse(tmp_path / "images" / "swap.svg").getroot()
    assert root.tag == f"{SVG}svg"
    bands = [path.get("class") for path in root.iter(f"{SVG}path")]
    assert {"blue", "green", "p50", "p99"} <= set(bands)
    assert "failed" not in bands
    labels = [label.text for label in root.iter(f"{SVG}text")]
    assert {"Failed requests", "none", "release 1", "release 2", "1 promote", "4 retire"} <= set(labels)
    assert root.findtext(f"{SVG}desc") == describe(swapped.run, swapped.traffic)


def test_a_run_that_did_not_end_well_is_not_praised(swapped: Swapped) -> None:
    run = Run.read(swapped.folder / "run.json")
    run.problem = "deployed was expected, and the result was aborted\nmore"
    html = page(run, swapped.traffic, swapped.records)
    assert "<h1>The demo did not end well: deployed was expected, and the result was aborted</h1>" in html
    assert "Promoted" not in html


def test_names_in_the_page_are_escaped(swapped: Swapped) -> None:
    hostile = [Record(float(n) / 10, "/", 200, "<b>&\"'", 1.0, None) for n in range(30)]
    html = page(swapped.run, traffic(hostile), hostile)
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html


def test_a_run_that_ended_early_says_so(swapped: Swapped) -> None:
    html = page(Run(0.0, "a machine"), None, [])
    assert "The demo ended before the load" in html
    assert "failed" not in html.split("</style>")[1]


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ([{"blue": "one", "green": "two"}], {"one": "blue", "two": "green"}),
        # A colour that held two of them names neither.
        ([{"blue": "one"}, {"blue": "two"}], {"one": "violet", "two": "amber"}),
        ([{"blue": "one", "green": "one"}, {"green": "two"}], {"one": "violet", "two": "amber"}),
        ([], {"one": "violet", "two": "amber"}),
    ],
)
def test_hues(held: list[dict[str, str]], wanted: dict[str, str]) -> None:
    run = Run(0.0, "", weights=[Weights(float(n), {}, releases) for n, releases in enumerate(held)])
    assert hues(run, ["one", "two"]) == wanted


def test_names_of_releases_not_baked_here() -> None:
    assert names(Run(0.0, ""), ["x"]) == {"x": "x"}


@pytest.mark.parametrize(
    ("most", "about", "wanted"),
    [(220, 5, [0, 50, 100, 150, 200, 250]), (0, 5, [0, 1]), (1, 2, [0, 0.5, 1]), (7, 3, [0, 5, 10])],
)
def test_ticks(most: float, about: int, wanted: list[float]) -> None:
    assert ticks(most, about) == wanted


def test_time() -> None:
    assert time_ticks(65, 5) == [0, 15, 30, 45, 60]
    assert (clock(0), clock(59.6), clock(3661)) == ("0:00", "1:00", "61:01")


def test_without_a_run_there_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab.demo.report", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 1
    assert "run make demo first" in done.stderr
    assert len(done.stderr.splitlines()) == 1
