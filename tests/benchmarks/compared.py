# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three tools look at the same account and say what they would remove; nothing is removed.

Each keeps what is not older than the account's images usually get; ours the newest 5 of each app beside.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.large_account import DAYS, KEEP

CHECKOUT = Path(__file__).parents[2]
COST = Path(__file__).with_name("cost.py")
LOCK = CHECKOUT / "requirements" / "compared.txt"
ENVIRONMENT = CHECKOUT / "build" / "bench" / "compared"
FIRST_DAYS = 30
REGION = "eu-west-1"
MODULE = "ansible_collections.immutable.ec2.plugins.modules.ami_retention"


@dataclass(frozen=True)
class Cost:
    """What one run took: of the process and of all that it waited for."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: as in the figures.
        prepare: writes what the tool reads into a folder, and returns its command.
        would_remove: what the run in this folder said, as ids of images.
        ends_with: its exit code.
    """

    name: str
    prepare: Callable[[Path], list[str]]
    would_remove: Callable[[Path], set[str]]
    ends_with: int = 0

    def run(self, folder: Path, url: str) -> Cost:
        """Raises SystemExit where it fails."""
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", "-S", str(COST), *self.prepare(folder)]
        with (folder / "output").open("wb") as output:
            measured = subprocess.run(
                command,
                cwd=folder,
                env=_environment(folder, url),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                check=True,
            )
        cost = json.loads(measured.stdout)
        if cost.pop("code") != self.ends_with:
            raise SystemExit(f"{self.name} failed: {(folder / 'output').read_text()[-2000:]}")
        return Cost(**cost)


def _ours(folder: Path, days: int = DAYS) -> list[str]:
    arguments: dict[str, Any] = {
        "keep": {"newest": KEEP, "days": days},
        "group_by": ["app", "stage"],
        "references": {"ssm_parameters": ["/shop/*"]},
        "max_removals": 1_000_000,
        "report_json": str(folder / "report.json"),
    }
    (folder / "report.json").unlink(missing_ok=True)
    command = [
        str(Path(sys.executable).with_name("ansible")),
        "localhost",
        "-m",
        "immutable.ec2.ami_retention",
        "--check",
    ]
    return [*command, "-e", f"ansible_python_interpreter={sys.executable}", "-a", json.dumps(arguments)]


def _by_ours(folder: Path) -> set[str]:
    report = json.loads((folder / "report.json").read_text())
    assert not report["unread"], report["unread"]
    return {one["id"] for one in report["removed"]}


def _c7n(folder: Path) -> list[str]:
    filters: list[Any] = [{"type": "unused", "value": True}, {"type": "image-age", "days": DAYS, "op": "gt"}]
    policy = {"name": "unused", "resource": "ami", "filters": filters, "actions": ["deregister"]}
    (folder / "policy.json").write_text(json.dumps({"policies": [policy]}))
    options = ["--dryrun", "--cache-period", "0", "--region", REGION, "--output-dir", str(folder / "out")]
    return [str(ENVIRONMENT / "bin" / "custodian"), "run", *options, "policy.json"]


def _by_c7n(folder: Path) -> set[str]:
    return {one["ImageId"] for one in json.loads((folder / "out" / "unused" / "resources.json").read_text())}


def _amicleaner(_folder: Path) -> list[str]:
    options = ["--mapping-key", "tags", "--mapping-values", "app", "stage", "--full-report"]
    return [
        str(ENVIRONMENT / "bin" / "amicleaner"),
        *options,
        *("--keep-previous", "0", "--ami-min-days", str(DAYS + 1)),
    ]


def _by_amicleaner(folder: Path) -> set[str]:
    return set(re.findall(r"ami-[0-9a-f]{8,17}", (folder / "output").read_text()))


OURS = Tool("ours", _ours, _by_ours)
FIRST_RUN = Tool("ours_first_run", partial(_ours, days=FIRST_DAYS), _by_ours)
"""As on an account that nobody has pruned: two thirds of all images may go, and each of them is asked about."""
OTHERS = (Tool("c7n", _c7n, _by_c7n), Tool("aws_amicleaner", _amicleaner, _by_amicleaner, ends_with=1))
"""aws-amicleaner asks at its end whether to remove what it listed; nobody answers, so it ends with 1."""


def install() -> None:
    """Makes the environment of the other tools, with exactly what the lock says."""
    uv = str(Path(sys.executable).with_name("uv"))
    index = {"UV_DEFAULT_INDEX": os.environ["PIP_INDEX_URL"]} if "PIP_INDEX_URL" in os.environ else {}
    if not (ENVIRONMENT / "bin" / "python").exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)], check=True)
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    python = str(ENVIRONMENT / "bin" / "python")
    subprocess.run([*sync, "--python", python, str(LOCK)], check=True, env={**index, **os.environ})


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
    }
