# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server of an app's image must be, with a configuration and without. Run by immutable.ec2.ami_publish."""

from __future__ import annotations

import os
import typing as t

import pytest
from test_system import APP_UNITS, listening

STARTED = os.environ.get("IMMUTABLE_APP_STARTED") == "yes"
when_started = pytest.mark.skipif(not STARTED, reason="the app was not started: there is no env for it")
when_not_started = pytest.mark.skipif(STARTED, reason="the app has its configuration")


@pytest.fixture(autouse=True)
def is_app(host: t.Any) -> None:
    if not host.file("/etc/immutable/release.env").exists:
        pytest.skip("a base image holds no app")


def test_the_app_can_not_write_its_code(host: t.Any) -> None:
    assert host.check_output("stat -L -c %U:%G /srv/app/current/config.ru") == "root:root"
    # Links are everybody's; those to what the app may write lead to /var/lib/app.
    assert host.check_output(r"find /srv/app/current/ -xdev -not -type l \( -user app -o -perm -o+w \)") == ""


@when_not_started
def test_without_a_configuration_no_port_is_bound(host: t.Any) -> None:
    assert listening(host) == {"22"}


@when_started
@pytest.mark.parametrize("unit", APP_UNITS)
def test_the_apps_units_are_active(host: t.Any, unit: str) -> None:
    assert host.check_output(f"systemctl is-active {unit}.service") == "active"


@when_started
def test_only_what_is_meant_to_be_reached_listens(host: t.Any) -> None:
    assert listening(host) == {"22", "80"}


@when_started
def test_a_response_names_its_release(host: t.Any) -> None:
    command = 'python3 -c \'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1/up").headers["X-Release"])\''
    named = host.check_output(command)
    lines = host.file("/etc/immutable/release.env").content_string.splitlines()
    assert f"RELEASE={named}" in lines


@when_started
def test_the_configuration_is_roots_alone_and_not_on_a_disk(host: t.Any) -> None:
    file = host.file("/run/immutable/current/config.env")
    assert (file.user, file.group, file.mode) == ("root", "root", 0o400)
    assert host.check_output("findmnt -n -o FSTYPE -T /run/immutable/current/config.env") == "tmpfs"
