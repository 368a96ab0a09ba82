# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's tests, on the server: pytest with testinfra, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path
from xml.etree import ElementTree

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.ssh import Ssh

NEEDED: t.Final = {"pytest": "pytest", "testinfra": "pytest-testinfra"}
"""Module → the package that brings it."""
MOST_SHOWN: t.Final = 5
LONGEST_REASON: t.Final = 160


def require_runner() -> None:
    """Asks for what the tests run with, before a server is booted for them.

    Raises:
        PublishError: it is not there.
    """
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise PublishError(
            f"the image's tests need {' and '.join(missing)}: {sys.executable} -m pip install {' '.join(missing)}, "
            "or give no tests"
        )


def run_tests(ssh: Ssh, paths: tuple[str, ...], facts: t.Mapping[str, str], seconds: float) -> int:
    """Runs the tests; returns how many passed.

    Args:
        ssh: the server.
        paths: files and folders of tests.
        facts: environment variables for the tests.
        seconds: how long they may take.

    Raises:
        ValidationFailed: one failed, or there was none.
    """
    report = ssh.folder / "tests.xml"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AWS_"))}
    argv = [
        *(sys.executable, "-m", "pytest", "--quiet", "--color=no", "--tb=short"),
        *("-c", os.devnull, "--rootdir", str(ssh.folder)),
        *("-p", "no:cacheprovider", "-p", "no:ansible", f"--junit-xml={report}"),
        *(f"--hosts=ssh://{ssh.address}", "--sudo", f"--ssh-config={ssh.config}"),
        *paths,
    ]
    try:
        done = subprocess.run(
            argv,
            cwd=ssh.folder,
            env={**clean, **facts, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=max(1.0, seconds),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValidationFailed(f"the image's tests did not end within {seconds:.0f} s", []) from None
    passed, failed = _read(report)
    if failed:
        shown = "; ".join(failed[:MOST_SHOWN])
        more = f" and {len(failed) - MOST_SHOWN} more" if len(failed) > MOST_SHOWN else ""
        raise ValidationFailed(f"{len(failed)} of {passed + len(failed)} tests of the image failed: {shown}{more}", [])
    if done.returncode or not passed:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ValidationFailed("no test of the image could be run", lines[-15:])
    return passed


def _read(report: Path) -> tuple[int, list[str]]:
    """How many passed, and each that did not with the first line of why."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, []
    passed, failed = 0, []
    for case in cases:
        wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
        if wrong is not None:
            name = re.sub(r"\[ssh://[^]]*\]|ssh://[^-\]]*-", "", str(case.get("name")))
            why = (wrong.get("message") or "").strip().splitlines()
            failed.append(f"{name} ({why[0][:LONGEST_REASON]})" if why else name)
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed
