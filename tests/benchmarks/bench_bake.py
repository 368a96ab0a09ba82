# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bake takes, beside a shell script over SSH that installs the same; and how soon a server of the image answers.

All in one lab: servers, packages and images are real, the API is emulated. The floor launches a builder, runs
``plain/bake`` on it and makes an image, without Packer and Ansible. What a release takes to be validated and published
is told apart from its bake, for the floor does neither. Medians of ``BENCH_RUNS`` (3) that take turns.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from lab.demo.scenario import ROLE_VARS
from lab.settings import CHECKOUT, REGION
from roles.app_bundle.files import pack_app
from tests import octets
from tests.benchmarks.builders import Builder, launched, prepare
from tests.benchmarks.results import circumstances
from tests.own_lab import OwnLab

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
FOLDER = CHECKOUT / "build" / "bench" / "bake"
SOURCE = FOLDER / "release-1"
PLAIN = Path(__file__).parent / "plain" / "bake"
#: All roles in one bake.
BARE = {
    "image_parts": {
        "app": [{"role": role} for role in ("image_base", "ruby", "app_bundle", "app_units", "config_pull")]
    }
}
UNITS = ("config-pull", "app-release", "app-web", "nginx")


def main() -> None:
    own = OwnLab(octets.BENCH_BAKE, FOLDER)
    try:
        own.start()
        key = prepare(own, FOLDER)
        figures = measure(own, key)
    finally:
        own.stop()
    print(json.dumps(figures, indent=2))
    Path(sys.argv[1]).write_text(json.dumps({**circumstances(), **figures}, indent=2) + "\n", encoding="utf-8")


def measure(own: OwnLab, key: Path) -> dict[str, Any]:
    """All figures, each told when it is there."""
    (found,) = own.cloud.ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-13-*"]}])["Images"]
    distribution = found["ImageId"]
    bare = bare_image(own, distribution)
    figures: dict[str, list[float]] = {}

    def told(name: str, seconds: float) -> None:
        figures.setdefault(f"{name}_seconds", []).append(seconds)
        print(f"{name:<20} {seconds:.1f}", flush=True)

    release = ""
    for run in range(1, RUNS + 1):
        told("floor", floor_bake(own, distribution, key, run))
        told("app_from_bare", bake(own, "app", f"bare-{run}", app="bare", role_vars=str(bare))[0])
        told("base", bake(own, "base", f"base-{run}")[0])
        seconds, result = bake(own, "app", f"app-{run}", publish=True)
        published = result["seconds"]["publish"]
        release = result["images"][REGION]
        told("app_on_base", seconds - published)
        told("publish", published)
        seconds, result = bake(own, "app", f"again-{run}", publish=True, force=False)
        assert result["result"] == "unchanged", result
        told("unchanged", seconds)
    boots = [boot(own, release, key) for _ in range(RUNS)]
    medians = {name: round(median(seconds), 1) for name, seconds in figures.items()}
    return {
        **medians,
        "from_bare_over_floor": round(medians["app_from_bare_seconds"] / medians["floor_seconds"], 2),
        "on_base_over_from_bare": round(medians["app_on_base_seconds"] / medians["app_from_bare_seconds"], 2),
        "boot_to_200_seconds": round(median(seconds for seconds, _ in boots), 2),
        "boot_phases": boots[-1][1],
    }


def bake(own: OwnLab, stage: str, release: str, **extra: Any) -> tuple[float, dict[str, Any]]:
    """The whole command, as a person starts it; its seconds and its result."""
    asked = {"app_dir": str(SOURCE), "role_vars": str(CHECKOUT / ROLE_VARS), "publish": False, "force": True, **extra}
    started = time.monotonic()
    result = own.commands.playbook("bake", f"bake-{release}", stage=stage, release=release, **asked)
    return time.monotonic() - started, result


def floor_bake(own: OwnLab, image: str, key: Path, run: int) -> float:
    """The same steps as plain commands: launch, install, make an image; its seconds."""
    started = time.monotonic()
    archive = FOLDER / "floor.tar.gz"
    pack_app.pack(SOURCE, archive, [".git", "/tmp", "/log", "/storage"])
    with launched(own, image, key) as builder:
        builder.reached()
        builder.runs("cat >/tmp/bake", PLAIN.read_bytes())
        builder.runs("sudo sh /tmp/bake", archive.read_bytes())
        made = own.cloud.ec2.create_image(InstanceId=builder.instance, Name=f"floor-{run}")["ImageId"]
        own.cloud.ec2.get_waiter("image_available").wait(ImageIds=[made], WaiterConfig={"Delay": 1})
    return time.monotonic() - started


def bare_image(own: OwnLab, distribution: str) -> Path:
    """The distribution's image becomes the base image of the app `bare`; returns variables for one stage."""
    ec2 = own.cloud.ec2
    bare = ec2.copy_image(Name="bare", SourceImageId=distribution, SourceRegion="eu-west-1")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[bare], WaiterConfig={"Delay": 1})
    ec2.create_tags(Resources=[bare], Tags=[{"Key": "app", "Value": "bare"}, {"Key": "stage", "Value": "base"}])
    variables = FOLDER / "bare.yml"
    variables.write_text((CHECKOUT / ROLE_VARS).read_text() + "\n" + json.dumps(BARE)[1:-1] + "\n")
    return variables


def boot(own: OwnLab, release: str, key: Path) -> tuple[float, dict[str, float]]:
    """Seconds from the launch to the first 200, and of the phases of the boot."""
    with launched(own, release, key) as server:
        seconds = server.seconds_to_200("/up")
        return seconds, phases(server)


def phases(server: Builder) -> dict[str, float]:
    """Seconds from the start of user space until each unit was active, as systemd-analyze counts."""
    server.reached()
    names = " ".join(f"{unit}.service" for unit in UNITS)
    shown = server.runs(
        f"systemctl show --property Id --property ActiveEnterTimestampMonotonic {names} system.slice sshd.service"
    )
    start = int(server.runs("systemctl show --property UserspaceTimestampMonotonic --value"))
    found = re.findall(
        r"Id=(\S+?)\.service\nActiveEnterTimestampMonotonic=(\d+)|ActiveEnterTimestampMonotonic=(\d+)\nId=(\S+?)\.service",
        shown,
    )
    pairs = [(first or last, int(before or after)) for first, before, after, last in found]
    return {name: round((stamp - start) / 1e6, 2) for name, stamp in pairs if name in UNITS}


if __name__ == "__main__":
    main()
