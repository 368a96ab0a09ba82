# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: what came out first, then the drawing of the load, then every step with its time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape

from lab.demo.report import style
from lab.demo.report.chart import describe, swap_chart
from lab.demo.report.series import Traffic, by_phase
from lab.demo.report.svg import clock
from lab.demo.run import Run
from lab.load import Record


def page(run: Run, traffic: Traffic | None, records: Sequence[Record]) -> str:
    """The whole page as HTML; without traffic (the run ended before the load) the drawing is left out and said so."""
    sheet = style.sheet(":root") + style.PAGE
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(run.started))
    parts = [
        f"<header><h1>{escape(_headline(run))}</h1>",
        f'<p class="muted small">A run of <code>make demo</code>, {began}, on {escape(run.machine)}.</p>',
        _tiles(run),
        "</header>",
        _traffic(run, traffic, records),
        _steps(run),
        _results(run),
        _truth(run),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(_headline(run))}</title>\n<style>{sheet}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(parts)}\n</main>\n</body>\n</html>\n"
    )


def _headline(run: Run) -> str:
    if run.problem is not None:
        return f"The demo did not end well: {run.problem.splitlines()[0]}"
    if run.load is None:
        return "The demo ended before the load"
    failed = f"{run.load.failed:,} requests failed" if run.load.failed else "no request failed"
    return f"Promoted, rolled back, deployed again and retired under load: {failed}"


def _tiles(run: Run) -> str:
    tiles: list[tuple[str, str, str, str]] = []
    if run.load is not None:
        load = run.load
        tiles += [
            ("Requests", f"{load.requests:,}", f"{load.rate:.0f}/s", ""),
            ("Failed", f"{load.failed:,}", "", "bad" if load.failed else "good"),
            ("Response time", f"{load.p50_ms:.0f} ms", f"p50, p99 {load.p99_ms:.0f} ms", ""),
        ]
    if run.rollback_seconds is not None:
        tiles.append(("Rollback", f"{run.rollback_seconds:.1f} s", "", ""))
    if run.images_before is not None and run.images_after is not None:
        tiles.append(("Images", f"{run.images_before} → {run.images_after}", "after pruning", ""))
    if run.phases:
        last = run.phases[-1]
        tiles.append(("The whole run", clock(last.start + last.seconds - run.started), "min:s", ""))
    return (
        '<dl class="tiles">'
        + "".join(
            f"<div><dt>{title}</dt><dd{f' class={kind}' if kind else ''}>{figure} <small>{more}</small></dd></div>"
            for title, figure, more, kind in tiles
        )
        + "</dl>"
    )


def _traffic(run: Run, traffic: Traffic | None, records: Sequence[Record]) -> str:
    if traffic is None:
        return "<section><h2>The load</h2><p>The run ended before there was any.</p></section>"
    releases = list(traffic.releases)
    hues, names = style.hues(run, releases), style.names(run, releases)
    key = "".join(
        f'<li><i style="background: var(--{hues[release]})"></i>{escape(_named(names[release], release))}</li>'
        for release in releases
    )
    rows = (
        (
            f"{count} {phase.name}",
            f"{phase.seconds:.1f}",
            f"{summary.requests:,}",
            f"{summary.failed:,}",
            f"{summary.p50_ms:.1f}",
            f"{summary.p99_ms:.1f}",
        )
        for count, (phase, summary) in enumerate(by_phase(run, records), 1)
    )
    return (
        f"<section><h2>The load, second by second</h2><p>{escape(describe(run, traffic))}</p>"
        f'<ul class="key" aria-label="Releases">{key}</ul>'
        + swap_chart(run, traffic, 940, titled="wide").replace("<svg", '<svg class="wide"', 1)
        + swap_chart(run, traffic, 380, titled="narrow").replace("<svg", '<svg class="narrow"', 1)
        + _table(
            "The same by phase. Requests belong to the phase in which they were due.",
            ("Phase", "s", "requests", "failed", "p50 ms", "p99 ms"),
            rows,
            right=5,
        )
        + "</section>"
    )


def _named(name: str, release: str) -> str:
    return release if name == release else f"{name}: {release}"


def _steps(run: Run) -> str:
    if not run.phases:
        return ""
    whole = max(phase.start + phase.seconds for phase in run.phases) - run.started or 1.0
    items = "".join(
        f"<li><span>{escape(phase.name)}</span>"
        f'<span class="track" aria-hidden="true"><i{" class=loaded" if phase.loaded else ""} '
        f'style="left: {(phase.start - run.started) / whole:.2%}; width: {phase.seconds / whole:.2%}"></i></span>'
        f'<span class="n">{phase.seconds:.1f} s</span>'
        + (f'<span class="outcome">{escape(phase.outcome)}</span>' if phase.outcome else "")
        + "</li>"
        for phase in run.phases
    )
    return (
        '<section><h2>What was done, and how long it took</h2><p class="muted small">From left to right: the time '
        'since the run began. The stronger bars are the steps under load.</p><ol class="steps">'
        + items
        + "</ol></section>"
    )


def _results(run: Run) -> str:
    names = style.names(run, [bake.release for bake in run.bakes])
    bakes = _table(
        "Images that Packer made in this run",
        ("Stage", "Release", "Image", "s"),
        ((b.stage, _named(names[b.release], b.release), b.image, f"{b.seconds:.1f}") for b in run.bakes),
        right=1,
    )
    names = style.names(run, [deployment.release for deployment in run.deployments])
    deployments = _table(
        "Deployments and rollbacks",
        ("Environment", "Result", "Release", "s"),
        ((d.env, d.result, _named(names[d.release], d.release), f"{d.seconds:.1f}") for d in run.deployments),
        right=1,
    )
    return f"<section><h2>Images and deployments</h2>{deployments}<br>{bakes}</section>"


def _truth(run: Run) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in run.notes)
    return f"<section><h2>How to read this</h2><ul>{notes}</ul></section>" if notes else ""


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], right: int = 0) -> str:
    """A table whose last `right` columns are figures and whose first one names the row."""
    figures = len(heads) - right
    head = "".join(
        f'<th scope="col"{" class=n" if place >= figures else ""}>{escape(name)}</th>'
        for place, name in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if place == 0
            else f"<td{' class=n' if place >= figures else ''}>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
