# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rails applications as `rails new` makes them, baked with the roles' defaults and started."""

from __future__ import annotations

import os
import re

import pytest
from testinfra.host import Host

CONNECTION_REFUSED = 7
"""curl's exit code."""
RAILS = {"13": "7.2.", "12": "6.1."}
#: The most that `systemd-analyze security` may say.
EXPOSURE = {"app-assets": 1.2, "app-web": 1.2, "app-worker-sidekiq": 1.2, "nginx": 1.2}


@pytest.fixture(autouse=True)
def started(host: Host) -> None:
    """The units run as they would after a boot."""
    host.check_output("systemctl daemon-reload && systemctl start app-web.service nginx.service")


def name(host: Host) -> str:
    """Which of the apps this server has."""
    return host.check_output("basename $(ls -d /var/tmp/pages /var/tmp/api /var/tmp/cached /var/tmp/older 2>/dev/null)")


def get(host: Host, path: str, *headers: str) -> tuple[int, str, str]:
    """Status, headers and body of what port 80 answers."""
    options = " ".join(f"-H '{header}'" for header in headers)
    said = host.check_output(f"curl --silent --include {options} http://127.0.0.1{path}").replace("\r", "")
    head, _, body = said.partition("\n\n")
    return int(head.split()[1]), head.lower(), body


def test_the_app_answers_and_names_its_release(host: Host) -> None:
    # TLS ends at the load balancer, which says so: an app that forces HTTPS then answers.
    status, head, body = get(host, "/hello", "X-Forwarded-Proto: https")
    assert (status, "x-release: r1" in head) == (200, True)
    assert body.startswith(f"hello from Rails {RAILS[host.system_info.release.split('.')[0]]}")


def test_the_load_balancer_finds_it_healthy_though_it_forces_https(host: Host) -> None:
    if name(host) == "older":
        assert get(host, "/up")[0] == 404, "Rails 6.1 has no health check of its own"
    else:
        assert get(host, "/up")[0] == 200


def test_what_redirects_to_https_still_does(host: Host) -> None:
    assert get(host, "/hello")[0] in ({200} if name(host) == "older" else {301})


def test_digested_assets_are_there_for_ever(host: Host) -> None:
    found = host.run("ls /srv/app/current/public/assets").stdout.split()
    if name(host) == "api":
        assert found == []
        return
    style = next(asset for asset in found if re.fullmatch(r"application-\w+\.css", asset))
    status, head, _ = get(host, f"/assets/{style}")
    assert (status, "expires: thu, 31 dec 2037" in head) == (200, True)


def test_a_gem_of_vendor_cache_was_compiled_and_runs(host: Host) -> None:
    if name(host) == "cached":
        assert re.search(r" 1\.\d+", get(host, "/hello", "X-Forwarded-Proto: https")[2])
        assert "zlib1g-dev" in host.file("/var/lib/immutable/build-packages").content_string.split()


def test_a_gem_of_a_private_index_is_there_and_its_password_is_not(host: Host) -> None:
    if name(host) == "api":
        assert "whisper (1.0.0)" in host.check_output("gem list --exact whisper")
        # Not where the index itself is, which knows it: /var/tmp, and its unit's lines in the journal.
        places = "/etc /home /opt /root /srv /tmp /usr/local /var/cache /var/lib"
        assert host.run(f"grep -rl s3cret-of-the-index {places}").stdout == ""
        assert host.run("journalctl --no-pager | grep -v private-index | grep -c s3cret").stdout.strip() == "0"


def test_workers_are_those_that_the_lock_names(host: Host) -> None:
    workers = host.check_output("ls /etc/systemd/system").split()
    expected = ["app-worker-sidekiq.service"] if name(host) == "api" else []
    assert [unit for unit in workers if unit.startswith("app-worker")] == expected


def test_each_unit_is_exposed_as_little_as_promised(host: Host) -> None:
    for unit, most in EXPOSURE.items():
        if host.file(f"/etc/systemd/system/{unit}.service").exists or unit == "nginx":
            said = host.run(f"systemd-analyze security --no-pager {unit}.service").stdout
            exposure = float(re.findall(r"Overall exposure level for .*: ([\d.]+)", said)[0])
            assert exposure <= most, unit


def test_the_app_can_not_write_its_code_and_its_processes_are_its_users(host: Host) -> None:
    writable = r"find /srv/app/current/ -xdev -not -type l \( -user app -o -perm -o+w \)"
    assert host.check_output(writable) == ""
    pid = host.check_output("systemctl show --property MainPID --value app-web.service")
    assert host.check_output(f"stat --format %U /proc/{pid}") == "app"


def test_memory_and_tasks_have_a_limit(host: Host) -> None:
    shown = host.check_output("systemctl show --property MemoryMax --property TasksMax app-web.service")
    assert "infinity" not in shown and "TasksMax=1024" in shown


def test_an_app_of_a_repository_names_the_commit(host: Host) -> None:
    revision = re.search(r"REVISION=(.*)", host.file("/etc/immutable/release.env").content_string)
    assert revision and re.fullmatch(r"[0-9a-f]{40}" if name(host) == "cached" else "none", revision[1])


def test_an_app_without_a_declaration_gets_what_lies_under_its_path(host: Host) -> None:
    assert '{parameter_store: "/{app}/{env}/"}' in host.file("/etc/immutable/config.yml").content_string


def test_nginx_has_no_network_but_its_port(host: Host) -> None:
    shown = host.check_output("systemctl show --property MainPID --property PrivateNetwork nginx.service")
    assert "PrivateNetwork=yes" in shown
    if name(host) == "older":  # the others' systemd does without where a container can't have it
        pid = shown.partition("MainPID=")[2].split()[0]
        assert host.check_output(f"readlink /proc/{pid}/ns/net") != host.check_output("readlink /proc/1/ns/net")


def test_no_worker_of_nginx_waits_for_a_connection_while_it_has_others(host: Host) -> None:
    for worker in host.check_output("pgrep --full '^nginx: worker'").split():
        flags = re.search(r"flags:\s+(\d+)", host.file(f"/proc/{worker}/fdinfo/3").content_string)
        assert flags and int(flags[1], 8) & os.O_NONBLOCK


def test_requests_are_logged_with_the_clients_address(host: Host) -> None:
    get(host, "/hello?who=1")
    assert '127.0.0.1 "GET /hello?who=1 ' in host.check_output("journalctl --identifier nginx --no-pager --lines 5")


def test_after_a_crash_the_port_is_closed_until_the_app_answers_again(host: Host) -> None:
    # curl waits for neither by itself: it is asked until it gets what is wanted, at most so long. All in one command:
    # the app may be back before a second one begins.
    ask = "curl --silent --output /dev/null --fail --header X-Forwarded-Proto:https http://127.0.0.1/hello"
    waits = [
        f"timeout 60 sh -c 'while :; do {ask}; test $? = {wanted} && exit; sleep 0.05; done'"
        for wanted in (CONNECTION_REFUSED, 0)
    ]
    host.check_output(" && ".join(["systemctl kill --signal KILL app-web.service", *waits]))


def test_without_the_app_no_port_is_bound(host: Host) -> None:
    host.check_output("systemctl stop app-web.service")
    assert host.run("curl --silent http://127.0.0.1/").rc == CONNECTION_REFUSED
    assert not host.socket("tcp://0.0.0.0:80").is_listening


def test_stopping_leaves_no_process_behind(host: Host) -> None:
    # A Puma worker of Debian 13 does not always end by itself (its server thread waits for ever): systemd ends it then.
    host.check_output("systemctl stop nginx.service app-web.service")
    assert host.run("pgrep -u app").stdout == ""
    assert host.check_output("systemctl show --property Result --value nginx.service") == "success"
