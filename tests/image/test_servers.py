# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that were booted from an image."""

from __future__ import annotations

import pytest

from tests.image.servers import BASE, Server

UNITS = ("config-pull", "app-assets", "app-release", "app-web", "app-worker-jobs", "nginx")


def test_the_system_came_up_whole(server: Server) -> None:
    assert server.host.check_output("systemctl is-system-running") == "running"


def test_ssh_takes_keys_only(server: Server) -> None:
    settings = server.host.check_output("sshd -T").splitlines()
    assert "passwordauthentication no" in settings and "permitrootlogin no" in settings


def test_only_what_is_meant_to_be_reached_listens(server: Server) -> None:
    listening = {line.split()[3] for line in server.host.check_output("ss -Hltn").splitlines()}
    outside = {address.rsplit(":", 1)[1] for address in listening if not address.startswith(("127.", "[::1]"))}
    # A base image may bring nginx with it.
    assert outside == {"22", "80"} or (server.stage == BASE and outside == {"22"})


def test_servers_of_one_image_are_not_the_same(servers: list[Server]) -> None:
    assert len(servers) > 1, "two servers are needed to compare them"
    for path in ("/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub", "/etc/ssh/ssh_host_rsa_key.pub"):
        contents = [server.host.file(path).content_string for server in servers]
        assert len(set(contents)) == len(servers) and all(contents), f"{path} differs"


@pytest.mark.parametrize("unit", UNITS)
def test_the_apps_units_are_active(app_server: Server, unit: str) -> None:
    assert app_server.host.check_output(f"systemctl is-active {unit}.service") == "active"


@pytest.mark.parametrize(("path", "status"), [("/up", "200"), ("/", "200"), ("/no-such-page", "404")])
def test_every_response_names_its_release(app_server: Server, path: str, status: str) -> None:
    headers = app_server.host.check_output(f"curl --silent --output /dev/null --dump-header - http://127.0.0.1{path}")
    release = app_server.settings("/etc/immutable/release.env")["RELEASE"]
    assert headers.split()[1] == status
    assert f"x-release: {release}" in headers.lower().splitlines()


def test_the_app_can_not_write_its_code(app_server: Server) -> None:
    assert app_server.host.check_output("stat -L -c %U:%G /srv/app/current/config.ru") == "root:root"
    # Links are everybody's; those to what the app may write lead to /var/lib/app.
    writable = r"find /srv/app/current/ -xdev -not -type l \( -user app -o -perm -o+w \)"
    assert app_server.host.check_output(writable) == ""


def test_the_configuration_is_roots_alone_and_not_on_a_disk(app_server: Server) -> None:
    file = app_server.host.file("/run/immutable/current/config.env")
    assert (file.user, file.group, file.mode) == ("root", "root", 0o400)
    assert app_server.host.check_output("findmnt -n -o FSTYPE -T /run/immutable/current/config.env") == "tmpfs"
    assert app_server.host.file("/etc/immutable/release.env").mode == 0o644
