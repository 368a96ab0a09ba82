# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server boots from the image, passes its tests and, where there is an env for that, runs the app."""

from __future__ import annotations

import typing as t

from ansible_collections.immutable.ec2.plugins.module_utils.aws.parameters import has_parameters
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import clock
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import ValidationFailed
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.naming import store_prefix
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation import app as app_checks
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.checks import (
    require_runner,
    run_tests,
)
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.server import reach, server

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.model import Validation
    from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.ssh import Ssh


def validate(
    clients: Clients, app: str, release: str, image: str, settings: Validation, tell: Callable[[str], None]
) -> tuple[str, bool]:
    """Puts an image to the test.

    Args:
        clients: of its region.
        app, release: whose it is.
        image: its id.
        settings: how it is booted and looked at.
        tell: is called with lines of progress.

    Returns:
        What was shown, in one line, and whether the app was started.

    Raises:
        ValidationFailed: the image is not as it must be; with the last that the server wrote.
        PublishError: the tests can't be run from here, or there is no network for a server.
        AwsError: AWS refused something.
    """
    if settings.tests:
        require_runner()
    env = settings.env if has_parameters(clients, store_prefix(app, settings.env)) else ""
    deadline = clock.monotonic() + settings.deadline.total_seconds()
    profile = (settings.profile or f"{app}-{settings.env}") if env else ""
    with server(clients, app, release, image, settings, profile, env) as (instance, folder):
        tell(f"  {instance} boots{f' with the configuration of {env}' if env else ''}")
        ssh = reach(clients, instance, folder, settings, deadline)
        try:
            shown = _look(ssh, settings, env, deadline, tell)
        except ValidationFailed as failure:
            raise ValidationFailed(failure.reason, failure.lines or app_checks.last_words(ssh)) from failure
        finally:
            ssh.close()
    if not env:
        shown.append(f"the app was not started, since there is no configuration at {store_prefix(app, settings.env)}")
    return "; ".join(shown), bool(env)


def _look(ssh: Ssh, settings: Validation, env: str, deadline: float, tell: Callable[[str], None]) -> list[str]:
    shown = ["a server booted and took a login"]
    # Until then units may still be starting; what has failed is the tests' to judge.
    ssh.run("systemctl is-system-running --wait", deadline - clock.monotonic())
    if env:
        tell(f"  the app starts: it must answer {settings.health_path}")
        app_checks.await_app(ssh, settings, deadline)
        shown.append(f"the app answered {settings.health_path}")
    if settings.tests:
        facts = {"IMMUTABLE_APP_STARTED": "yes" if env else "no"}
        passed = run_tests(ssh, settings.tests, facts, deadline - clock.monotonic())
        shown.append(f"{passed} tests passed")
    if env and settings.smoke_command:
        tell(f"  the smoke command runs: {settings.smoke_command}")
        app_checks.run_smoke(ssh, settings.smoke_command, deadline)
        shown.append("its smoke command succeeded")
    return shown
