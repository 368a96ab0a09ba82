# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulated lab for the faults: the API's process, whose servers are sockets, and two releases."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.faults.playbooks import CHECKOUT, Playbooks
from tests.faults.world import Ground, Sizes, until
from tests.lab.contract.support import DISTRIBUTION, Api

APP = "faults"
GOOD = ("good-1", "good-2")
#: Becomes unhealthy as soon as it has traffic.
BREAKS = "breaks-1"
CLOCK_FACTOR = 0.05
SPEED = 10.0
SIZES = Sizes(minimum=2, maximum=4, baseline=3)
DECLARATION = {"sources": [{"parameter_store": "/{app}/common/"}, {"secrets_manager": "{app}/common/app"}]}
#: The first deployment's own looks at a load balancer without a colour are errors too.
EDGE = {"DeregistrationDelaySeconds": 2, "HealthCheckIntervalSeconds": 6, "ErrorsPerMinute": 1000}


class EmulatedLab:
    """One API process.

    Args:
        octet: which lab; see lab.settings.
        folder: for its files.
    """

    def __init__(self, octet: int, folder: Path) -> None:
        self._folder = folder
        self.api = Api(f"http://127.0.0.1:{4566 + octet - 78}", folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self._is_reached():
            raise RuntimeError(f"{self.api.url} answers already: the lab of another run, which must end first")
        arguments = ["--servers", "loopback", "--run-dir", str(folder), "--clock-factor", str(CLOCK_FACTOR)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.api", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "LAB_OCTET": str(octet)},
            stdout=(folder / "api.log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        try:
            until(self._answers, f"the lab's API answers; see {folder / 'api.log'}")
        except BaseException:
            self.close()
            raise
        self._stores()
        for release in GOOD:
            self._image(release)
        self._image(BREAKS, **{"lab-breaks": "yes"})

    def ground(self, playbooks: Playbooks, folder: Path) -> Ground:
        return Ground(self.api, playbooks, folder, APP, GOOD, SPEED, SIZES, {}, EDGE)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the lab's API has ended; see {self._folder / 'api.log'}")
        return self._is_reached()

    def _is_reached(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.api.url}/_lab/status", timeout=5).close()
        except OSError:
            return False
        return True

    def _stores(self) -> None:
        """The apps' configuration, which each deployment looks at and settles."""
        self.api.client("ssm").put_parameter(Name=f"/{APP}/common/URL", Value="any", Type="SecureString")
        self.api.client("secretsmanager").create_secret(Name=f"{APP}/common/app", SecretString='{"KEY": "any"}')

    def _image(self, release: str, **more: str) -> None:
        base = self.api.client("ssm").get_parameter(Name=DISTRIBUTION)["Parameter"]["Value"]
        ec2: Any = self.api.ec2
        copy = ec2.copy_image(Name=release, SourceImageId=base, SourceRegion="eu-west-1")["ImageId"]
        declaration = base64.b64encode(json.dumps(DECLARATION).encode()).decode()
        tags = {"app": APP, "stage": "app", "release": release, "declaration-1": declaration, **more}
        ec2.create_tags(Resources=[copy], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
