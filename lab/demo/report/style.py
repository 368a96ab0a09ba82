# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hues of things. A release wears that of the colour (blue, green) that it ran on, where it had one alone."""

from __future__ import annotations

from pathlib import Path

from lab.demo.run import Run


def _read(name: str) -> str:
    """A style sheet beside this file, without its licence comment."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").split("*/", 1)[1]


OTHERS = ("violet", "amber")

LIGHT = """
  --page: #f7f8fa; --card: #ffffff; --ink: #1b2430; --muted: #5b6675; --faint: #e3e7ec; --grid: #e9edf1;
  --blue: #2f6fde; --green: #12936a; --violet: #8250c4; --amber: #b26a00; --failed: #cf222e; --good: #0f7b52;
  --bar: #8fa3bd; --tint: #eef2f7;
"""

DARK = """
  --page: #10151c; --card: #182029; --ink: #e6ebf1; --muted: #9aa7b6; --faint: #2b3541; --grid: #26303b;
  --blue: #6ea3ff; --green: #35c08d; --violet: #b794f0; --amber: #e0a03c; --failed: #ff6b6b; --good: #4cd29c;
  --bar: #5c7390; --tint: #202a35;
"""

PAGE = _read("page.css")


def sheet(root: str) -> str:
    """The style of the drawings, light and dark, with its variables set on the element that `root` selects."""
    return (
        f"{root} {{ color-scheme: light dark; {LIGHT} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {root} {{ {DARK} }} }}\n{_read('marks.css')}"
    )


def hues(run: Run, releases: list[str]) -> dict[str, str]:
    """The class of each release's marks: its colour's name, or another hue where that would be ambiguous."""
    on: dict[str, set[str]] = {release: set() for release in releases}
    held: dict[str, set[str]] = {}
    for sample in run.weights:
        for colour, release in sample.releases.items():
            held.setdefault(colour, set()).add(release)
            if release in on:
                on[release].add(colour)
    spare = iter(OTHERS * len(releases))
    chosen: dict[str, str] = {}
    for release, colours in on.items():
        alone = [colour for colour in colours if len(held[colour] & set(releases)) == 1 and len(colours) == 1]
        chosen[release] = alone[0] if alone else next(spare)
    return chosen


def names(run: Run, releases: list[str]) -> dict[str, str]:
    """What to call each release in a drawing: 'release 1' for the first that was baked, its id where it was not."""
    baked = [bake.release for bake in run.bakes if bake.stage == "app"]
    return {release: f"release {baked.index(release) + 1}" if release in baked else release for release in releases}
