# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the lock, for a person who wants to find them."""

from __future__ import annotations

import getpass
import os
import re
import socket
import typing as t
from urllib.parse import urlsplit

if t.TYPE_CHECKING:
    from collections.abc import Mapping

JOBS: t.Final = {
    "GITHUB_RUN_ID": "GitHub run",
    "CODEBUILD_BUILD_ID": "CodeBuild",
    "CI_JOB_URL": "GitLab job",
    "BUILDKITE_BUILD_URL": "Buildkite build",
    "CIRCLE_BUILD_URL": "CircleCI build",
    "BUILD_URL": "Jenkins build",
}
"""Variables by which CI systems name a job → what the job is called."""

LONGEST: t.Final = 160


def name(environment: Mapping[str, str] | None = None, lasting: bool = True) -> str:
    """``user@host pid 123``, and the CI job where there is one.

    Args:
        environment: where the CI system's variables are, the process's own unless given.
        lasting: whether this process lives as long as it holds something; else its number helps nobody.
    """
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    who = f"{user}@{socket.gethostname()}" + (f" pid {os.getpid()}" if lasting else "")
    job = _job(os.environ if environment is None else environment)
    return _clean(f"{who} ({job})" if job else who)


def _job(environment: Mapping[str, str]) -> str:
    for variable, kind in JOBS.items():
        if value := environment.get(variable):
            repository = environment.get("GITHUB_REPOSITORY", "") if variable == "GITHUB_RUN_ID" else ""
            return f"{kind} {repository} {_without_secrets(value)}"
    return ""


def _without_secrets(value: str) -> str:
    """A URL without what may be a password or a token in it."""
    if "://" not in value:
        return value
    url = urlsplit(value)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def _clean(text: str) -> str:
    return " ".join(re.sub(r"[^ -~]", " ", text).split())[:LONGEST]
