# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SVG as text: a tag with its attributes, escaped; numbers with no more digits than a screen can show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from itertools import pairwise


def number(value: float) -> str:
    """A coordinate with at most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def tag(name: str, content: str | Iterable[str] = "", /, **attributes: str | float) -> str:
    """An element; class_ stands for class, and other underscores in attribute names for hyphens."""
    text = "".join(
        f' {"class" if key == "class_" else key.replace("_", "-")}="'
        f'{escape(value if isinstance(value, str) else number(value))}"'
        for key, value in attributes.items()
    )
    inner = content if isinstance(content, str) else "".join(content)
    return f"<{name}{text}>{inner}</{name}>" if inner else f"<{name}{text}/>"


def text(content: str, x: float, y: float, class_: str = "", anchor: str = "start") -> str:
    """A label."""
    return tag("text", escape(content, quote=False), x=x, y=y, class_=f"label {class_}".strip(), text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, title: str = "", radius: float = 0) -> str:
    """A box, with a title that is shown when a pointer rests on it."""
    inner = tag("title", escape(title, quote=False)) if title else ""
    return tag("rect", inner, x=x, y=y, width=max(0, width), height=max(0, height), rx=radius, class_=class_)


def area(points: list[tuple[float, float, float]], class_: str) -> str:
    """A filled band of (x, top, bottom)."""
    if not points:
        return ""
    over = [f"{number(x)},{number(top)}" for x, top, _ in points]
    under = [f"{number(x)},{number(bottom)}" for x, _, bottom in reversed(points)]
    return tag("path", d="M" + " L".join(over + under) + " Z", class_=class_)


def polyline(points: list[tuple[float, float] | None], class_: str) -> str:
    """A line through the points; a None interrupts it."""
    steps: list[str] = []
    for before, point in pairwise([None, *points]):
        if point is not None:
            steps.append(f"{'M' if before is None else 'L'}{number(point[0])},{number(point[1])}")
    return tag("path", d=" ".join(steps), class_=class_) if steps else ""


def ticks(most: float, about: int) -> list[float]:
    """Round numbers from 0 to at least `most`, about as many as asked for (1, 2 or 5 times a power of ten apart)."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def time_ticks(seconds: float, about: int) -> list[float]:
    """Seconds from 0 up to `seconds` at which to name the time: steps that people count in."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((s for s in steps if seconds / s <= about), steps[-1])
    return [float(step * n) for n in range(math.floor(seconds / step) + 1)]


def clock(seconds: float) -> str:
    """m:ss"""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
