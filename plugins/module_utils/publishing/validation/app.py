# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app on the server under test: it comes up with its configuration, and passes its smoke command."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.console import clean
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import ValidationFailed

if t.TYPE_CHECKING:
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Validation
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.ssh import Ssh

PAUSE_SECONDS: t.Final = 0.5
LINES: t.Final = 15
URL: t.Final = "http://127.0.0.1"

_UNITS: t.Final = "config-pull.service app-release.service app-web.service nginx.service"
# Prints the status that the app answers, or the units that have failed and so never will.
_LOOK: t.Final = """
python3 - {path} <<'END'
import http.client, sys
web = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
try:
    web.request("GET", sys.argv[1])
    print(web.getresponse().status)
except (OSError, http.client.HTTPException) as error:
    print(error)
END
systemctl list-units --state=failed --plain --no-legend {units} 'app-*.service' |
  cut -d' ' -f1 | sort -u | xargs -r echo failed:
"""
# As the app's own units have it: its user, its folder, its configuration, which no process list shows.
_SMOKE: t.Final = """
exec systemd-run --quiet --pipe --wait --collect --service-type=exec --unit=immutable-smoke \\
  --property=User=app --property=Group=app --property=WorkingDirectory=/srv/app/current \\
  --property=EnvironmentFile=/etc/immutable/release.env --property=EnvironmentFile=/etc/immutable/app.env \\
  --property=EnvironmentFile=/run/immutable/current/config.env --setenv=URL={url} \\
  --property=RuntimeMaxSec={seconds:.0f} /bin/sh -c {command} 2>&1
"""


def await_app(ssh: Ssh, settings: Validation, deadline: float) -> None:
    """Waits until the app answers its health check through nginx.

    Raises:
        ValidationFailed: one of its units failed, or it did not answer in time.
    """
    look = _LOOK.format(path=shlex.quote(settings.health_path), units=_UNITS)
    said = "nothing"
    while clock.monotonic() < deadline:
        lines = ssh.run(look, 30).stdout.strip().splitlines()
        failed = next((line for line in lines if line.startswith("failed:")), "")
        said = next((line for line in lines if line != failed), said)
        if said == "200":
            return
        if failed:
            raise ValidationFailed(f"the app did not start: {failed.replace('failed:', 'failed is')}", last_words(ssh))
        clock.sleep(PAUSE_SECONDS)
    raise ValidationFailed(
        f"the app did not answer {settings.health_path} with 200 within {settings.deadline.total_seconds():.0f} s "
        f"of the launch; the last answer was {said}",
        last_words(ssh),
    )


def run_smoke(ssh: Ssh, command: str, deadline: float) -> None:
    """Runs the smoke command as the app's user, with its configuration and its address in `URL`.

    Raises:
        ValidationFailed: it failed, with what it wrote.
    """
    seconds = max(1.0, deadline - clock.monotonic())
    done = ssh.run(_SMOKE.format(url=URL, seconds=seconds, command=shlex.quote(command)), seconds + 5)
    if done.returncode:
        said = clean(done.stdout + done.stderr)[-LINES:]
        raise ValidationFailed(
            f"the smoke command failed with exit code {done.returncode}: {command}", said or last_words(ssh)
        )


def last_words(ssh: Ssh) -> list[str]:
    """The last lines that the app's units wrote, the oldest first; where they wrote none, the system's warnings."""
    units = " ".join(f"--unit={unit}" for unit in (*_UNITS.split(), "'app-worker-*'"))
    for which in (units, "--priority=warning"):
        done = ssh.run(f"journalctl --boot --no-pager --quiet --output=cat --lines={LINES} {which}", 30)
        if lines := clean(done.stdout):
            return lines[-LINES:]
    return []
