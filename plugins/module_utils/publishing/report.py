# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run → the module's result and diff."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.forecast import forecast
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Verdict

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.engine import Run
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Image, Observed, Wanted

VERDICTS: t.Final = {
    Verdict.PASSED: ("passed", True),
    Verdict.PASSED_WITHOUT_APP: ("passed", False),
    Verdict.FAILED: ("failed", False),
}


def to_result(run: Run, wanted: Wanted) -> dict[str, t.Any]:
    """The documented return values of `ami_publish`, `changed` and `diff` included."""
    home = run.after.images.get(wanted.home)
    result = "withdrawn" if wanted.withdrawn else "published"
    after = forecast(run.before, wanted, run.steps)
    return {
        "changed": bool(run.steps),
        "result": result if run.steps else "nothing_to_do",
        "reason": run.reason,
        "release": wanted.release,
        "images": {region: image.id for region, image in run.after.images.items() if image.id},
        "previous": _named(run.before, wanted),
        "pointer": {region: pointer.release for region, pointer in run.after.pointers.items()},
        "validation": _validation(home),
        "steps": [{"step": str(step), "reason": step.reason} for step in run.steps],
        "diff": {
            "before_header": "images and channels",
            "after_header": "images and channels",
            "before": _listed(run.before, wanted),
            "after": _listed(after, wanted),
        },
    }


def _named(seen: Observed, wanted: Wanted) -> str:
    """What the channel named before, in the region where the release was baked."""
    pointer = seen.pointers.get(wanted.home)
    return pointer.release if pointer else ""


def _validation(home: Image | None) -> dict[str, t.Any] | None:
    if home is None or home.verdict not in VERDICTS:
        return None
    result, started = VERDICTS[home.verdict]
    return {"result": result, "app_started": started, "reason": home.validation_reason}


def _listed(seen: Observed, wanted: Wanted) -> str:
    lines: list[str] = []
    for region in wanted.regions:
        image = seen.images.get(region)
        if image:
            lines.append(f"{region} image {image.id or '(a copy)'}:")
            lines += [f"  {key}: {value}" for key, value in _facts(image, wanted).items()]
        else:
            lines.append(f"{region} image: none")
        if wanted.channel:
            pointer = seen.pointers.get(region)
            lines.append(
                f"{region} channel {wanted.channel}: {pointer.release if pointer and pointer.release else 'none'}"
            )
    lines += [f"left over: {left.kind} {left.id}" for left in seen.leftovers]
    return "".join(f"{line}\n" for line in lines)


def _facts(image: Image, wanted: Wanted) -> dict[str, str]:
    return {
        "validation": image.verdict or "none",
        "publication": image.publication or "none",
        "IMDSv2": "required" if image.imdsv2 else "optional",
        "deprecated": f"{image.deprecated_at:%Y-%m-%d}" if image.deprecated_at else "never",
        "shared with": ", ".join(sorted(image.shared_with)) or "nobody that was asked about",
        **{f"tag {key}": image.tags.get(key, "none") for key in wanted.tags},
    }
