# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawing of the load: what was answered by which release, what failed, the weights and the response times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from lab.demo.report import style
from lab.demo.report.series import Traffic
from lab.demo.report.svg import area, clock, line, number, polyline, rect, tag, text, ticks, time_ticks
from lab.demo.run import Run

LEFT, RIGHT = 40.0, 10.0
CHARACTER = 6.4
"""Width of a character of a label in pixels, a little generous."""
BOLD = 7.6
"""The same for a lane's title."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a lane lies: seconds go from left to right, values from bottom to top."""

    width: float
    seconds: int
    top: float
    height: float
    most: float = 1.0

    def x(self, second: float) -> float:
        """The place of a second."""
        return LEFT + (self.width - LEFT - RIGHT) * second / self.seconds

    def y(self, value: float) -> float:
        """The place of a value."""
        return self.bottom - self.height * value / self.most

    @property
    def bottom(self) -> float:
        """The lane's lower end."""
        return self.top + self.height

    def grid(self, values: list[float]) -> Iterator[str]:
        """Lines and labels for the values."""
        for value in values:
            yield line(LEFT, self.y(value), self.width - RIGHT, self.y(value), "grid")
            yield text(f"{value:g}", LEFT - 6, self.y(value) + 4, anchor="end")


def swap_chart(run: Run, traffic: Traffic, width: int, *, titled: str = "swap") -> str:
    """The drawing as an <svg> of the given width in pixels; `titled` makes its ids unique in a page."""
    tall = 190 if width > 600 else 170
    parts: list[str] = []
    phases = Frame(width, traffic.seconds, 4, 24)
    requests = Frame(width, traffic.seconds, 58, tall, ticks(traffic.peak, 5)[-1])
    failures = Frame(
        width, traffic.seconds, requests.bottom + 30, 22 if any(traffic.failed) else 0, max(1, *traffic.failed)
    )
    weights = Frame(width, traffic.seconds, failures.bottom + 32, 54, 1.0)
    slowest = max((value for value in traffic.p99 if value is not None), default=1.0)
    times = Frame(width, traffic.seconds, weights.bottom + 34, 84, ticks(slowest, 3)[-1])
    lanes = [
        *_requests(run, traffic, requests),
        *_failures(traffic, failures),
        *_weights(run, traffic, weights),
        *_times(traffic, times),
    ]
    labels = [part for part in lanes if part.startswith("<text")]
    # Labels last: the phases' edges run through the lanes, and must not cross a word.
    parts += [part for part in lanes if part not in labels]
    parts += _phases(run, traffic, phases, times.bottom)
    parts += labels
    parts += _axis(times)
    height = times.bottom + 24
    return tag(
        "svg",
        [
            tag("title", "Requests by release over time", id=f"{titled}-t"),
            tag("desc", escape(describe(run, traffic), quote=False), id=f"{titled}-d"),
            *parts,
        ],
        viewBox=f"0 0 {width} {number(height)}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{titled}-t {titled}-d",
    )


def describe(run: Run, traffic: Traffic) -> str:
    """The drawing in words."""
    names = style.names(run, list(traffic.releases))
    stretches = sorted((*stretch, names[release]) for release in traffic.releases for stretch in traffic.share(release))
    served = [f"{name} from {clock(first)} to {clock(last)}" for first, last, name in stretches]
    failed = sum(traffic.failed)
    return (
        f"{traffic.seconds} seconds of load, at most {traffic.peak} requests a second. Answered mostly by "
        f"{', '.join(served) or 'none'}. {'No request failed' if not failed else f'{failed:,} requests failed'}."
    )


def _requests(run: Run, traffic: Traffic, frame: Frame) -> Iterator[str]:
    yield text("Requests a second, by the release that answered", LEFT, frame.top - 10, "title")
    yield from frame.grid(ticks(traffic.peak, 5))
    base = [0.0] * traffic.seconds
    hues = style.hues(run, list(traffic.releases))
    for release, series in traffic.releases.items():
        top = [low + count for low, count in zip(base, series, strict=True)]
        yield from (area(band, hues[release]) for band in _bands(frame, base, top))
        base = top
    top = [low + count for low, count in zip(base, traffic.failed, strict=True)]
    yield from (area(band, "failed") for band in _bands(frame, base, top))
    for release, name in style.names(run, list(traffic.releases)).items():
        for first, last in traffic.share(release):
            if frame.x(last) - frame.x(first) > CHARACTER * len(name) + 8:
                middle = (frame.x(first) + frame.x(last)) / 2
                yield text(name, middle, frame.y(traffic.peak * 0.5) + 4, "on", "middle")


def _bands(frame: Frame, low: list[float], high: list[float]) -> Iterator[list[tuple[float, float, float]]]:
    """Stepped bands between two series, one for each stretch of seconds in which there is anything between them."""
    band: list[tuple[float, float, float]] = []
    for second, (below, above) in enumerate(zip(low, high, strict=True)):
        if above > below:
            top, bottom = frame.y(above), frame.y(below)
            band += [(frame.x(second), top, bottom), (frame.x(second + 1), top, bottom)]
        elif band:
            yield band
            band = []
    if band:
        yield band


def _failures(traffic: Traffic, frame: Frame) -> Iterator[str]:
    failed = sum(traffic.failed)
    title = "Failed requests"
    yield text(title, LEFT, frame.top - 8, "title")
    if not failed:
        yield text("none", LEFT + BOLD * len(title) + 6, frame.top - 8, "ok")
        return
    yield text(f"{failed:,}", LEFT + BOLD * len(title) + 6, frame.top - 8, "failed")
    yield line(LEFT, frame.bottom, frame.width - RIGHT, frame.bottom, "axis")
    wide = max(1.5, frame.x(1) - frame.x(0))
    for second, count in enumerate(traffic.failed):
        if count:
            high = max(3.0, frame.bottom - frame.y(count))
            yield rect(frame.x(second), frame.bottom - high, wide, high, "failed", f"{clock(second)}: {count} failed")


def _weights(run: Run, traffic: Traffic, frame: Frame) -> Iterator[str]:
    yield text("Weights of the colours, % of the traffic", LEFT, frame.top - 8, "title")
    for value in (0.0, 0.5, 1.0):
        yield line(LEFT, frame.y(value), frame.width - RIGHT, frame.y(value), "grid")
        yield text(f"{value * 100:g}", LEFT - 6, frame.y(value) + 4, anchor="end")
    ends = [sample.t for sample in run.weights[1:]] + [math.inf]
    for sample, end in zip(run.weights, ends, strict=True):
        first = max(0.0, sample.t - traffic.begin)
        last = min(float(traffic.seconds), end - traffic.begin)
        total = sum(sample.weights.values())
        if last <= first or not total:
            continue
        low = 0.0
        for colour in sorted(sample.weights):
            share = sample.weights[colour] / total
            if not share:
                continue
            x, y, wide = frame.x(first), frame.y(low + share), frame.x(last) - frame.x(first)
            yield rect(x, y, wide, share * frame.height, colour, f"{colour}: {share:.0%}")
            if wide > CHARACTER * len(colour) + 8 and share * frame.height > 14:
                yield text(colour, x + wide / 2, y + share * frame.height / 2 + 4, "on", "middle")
            low += share


def _times(traffic: Traffic, frame: Frame) -> Iterator[str]:
    title = "Response time, ms"
    yield text(title, LEFT, frame.top - 8, "title")
    legend = LEFT + BOLD * len(title) + 6
    for place, name in ((legend, "p50"), (legend + 54, "p99")):
        yield line(place, frame.top - 12, place + 16, frame.top - 12, name)
        yield text(name, place + 20, frame.top - 8, name)
    yield from frame.grid(ticks(frame.most, 3))
    for series, name in ((traffic.p99, "p99"), (traffic.p50, "p50")):
        points = [
            None if value is None else (frame.x(second + 0.5), frame.y(value)) for second, value in enumerate(series)
        ]
        yield polyline(points, name)


def _phases(run: Run, traffic: Traffic, frame: Frame, down_to: float) -> Iterator[str]:
    edges: set[float] = set()
    shown = [phase for phase in run.phases if phase.loaded]
    for count, phase in enumerate(shown, 1):
        first = max(0.0, phase.start - traffic.begin)
        last = min(float(traffic.seconds), phase.start + phase.seconds - traffic.begin)
        if last <= first:
            continue
        x, wide = frame.x(first), frame.x(last) - frame.x(first)
        yield rect(x, frame.top, wide, frame.height, "phase", f"{phase.name}: {phase.seconds:.1f} s", 3)
        fitting = next(
            (label for label in (f"{count} {phase.name}", f"{count}") if CHARACTER * len(label) + 6 <= wide), None
        )
        if fitting:
            yield text(fitting, x + wide / 2, frame.top + 16, "strong", "middle")
        edges |= {round(x, 1), round(x + wide, 1)}
    # Phases follow each other closely: one line where two would touch.
    ordered = sorted(edges)
    for x in [x for x, after in pairwise([*ordered, math.inf]) if after - x > 2]:
        yield line(x, frame.bottom, x, down_to, "edge")


def _axis(frame: Frame) -> Iterator[str]:
    yield line(LEFT, frame.bottom, frame.width - RIGHT, frame.bottom, "axis")
    for second in time_ticks(frame.seconds, 10 if frame.width > 600 else 5):
        yield line(frame.x(second), frame.bottom, frame.x(second), frame.bottom + 4, "axis")
        yield text(clock(second), frame.x(second), frame.bottom + 17, anchor="middle")


def picture(run: Run, traffic: Traffic, width: int = 900) -> str:
    """The drawing as a file of its own, for light and dark surroundings."""
    drawing = swap_chart(run, traffic, width)
    opening, rest = drawing.split(">", 1)
    back = tag("rect", width="100%", height="100%", class_="back")
    return f'{opening} xmlns="http://www.w3.org/2000/svg">{tag("style", style.sheet("svg"))}{back}{rest}\n'
