# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an app didn't start is seen from outside: its errors, and not what it logs of requests."""

from __future__ import annotations

import base64
import time

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.console import last_lines
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
from lab.podman import Podman
from lab.settings import Settings
from tests.lab.web_unit import web_unit

PATIENCE = 40
DISTRIBUTION_PARAMETER = "/aws/service/debian/release/13/latest/amd64"
APP = """\
#!/bin/sh
echo "Completed 200 OK in 3ms (card: 4111)"
echo "app.rb:7:in 'boot': undefined method 'sav' for an Article (NoMethodError)" >&2
exit 1
"""
INSTALL = """
set -eu
getent passwd app >/dev/null || useradd --system app
mkdir -p /srv/app/current /var/lib/app /etc/immutable /run/immutable/current/files /usr/lib/immutable
touch /etc/immutable/release.env /etc/immutable/app.env /run/immutable/current/config.env
cd /etc/systemd/system
printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' > config-pull.service
printf '#!/bin/sh\\nwhile kill -0 "$MAINPID"; do sleep 0.1; done; exit 1\\n' > /usr/lib/immutable/wait-for-app
echo {app} | base64 -d > /usr/lib/immutable/app
echo {unit} | base64 -d > app-web.service
chmod 0755 /usr/lib/immutable/*
systemctl daemon-reload
systemctl start --no-block app-web.service
"""


@pytest.fixture
def instance(clients: Clients, lab: Settings) -> str:
    """A server whose app exits with an error."""
    image = clients._client("ssm").get_parameter(Name=DISTRIBUTION_PARAMETER)["Parameter"]["Value"]
    launched = clients.ec2.run_instances(ImageId=image, InstanceType="t3.small", MinCount=1, MaxCount=1)
    found = launched["Instances"][0]["InstanceId"]
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in (("app", APP), ("unit", web_unit()))}
    podman = Podman(lab.run_dir)
    deadline = time.monotonic() + PATIENCE
    while podman.attempt("exec", f"{lab.name}-{found}", "systemctl", "is-active", "dbus.service").returncode:
        assert time.monotonic() < deadline, f"{found} has not booted within {PATIENCE} s"
        time.sleep(0.2)
    podman.run("exec", f"{lab.name}-{found}", "sh", "-c", INSTALL.format(**encoded))
    return found


def test_the_apps_error_is_in_the_last_lines(clients: Clients, instance: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while "NoMethodError" not in "".join(said := last_lines(clients, instance)):
        assert time.monotonic() < deadline, f"not seen in {PATIENCE} s: {said}"
        time.sleep(0.2)
    assert len(last_lines(clients, instance, count=3)) == 3
    assert not any("Completed 200" in each or "\x1b" in each or "OK" in each for each in said), said
