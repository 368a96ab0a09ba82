# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a booted server, by the role's own unit and the app's: every byte arrives, no secret leaks, no app without all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.cli.machine import Machine
from lab.metadata.facts import InstanceFacts
from lab.metadata.service import MetadataService
from lab.rootfs import base
from lab.servers.interface import LaunchSpec
from lab.servers.podman import DISTRIBUTION, PodmanServers
from lab.settings import LOGIN_USER, REGION, Settings
from tests import octets
from tests.lab.config_pull import nasty
from tests.lab.config_pull.machine import Booted, install
from tests.lab.config_pull.proxy import between
from tests.lab.config_pull.tally import Tally
from tests.lab.contract import support

OCTET = octets.CONFIG_MACHINE
ADDRESS = f"10.{OCTET}.16.5"
MARK = nasty.MARK
NAMES = {f"V{number:03}": text for number, text in enumerate(nasty.TEXTS)}
FILES = {f"F{number:03}": text.encode() for number, text in enumerate(nasty.TEXTS)}
BLOBS = {f"B{number:03}": blob for number, blob in enumerate(nasty.BLOBS)}
SOURCES = [{"secrets_manager": "{app}/{env}/nasty"}]
SOURCES += [{"secrets_manager": f"nasty/{key}", "key": key} for key in BLOBS]
KEYS = {key: {"as": "file"} for key in (*FILES, *BLOBS)} | {"PLANTED": {"required": True, "pattern": f"^{MARK}"}}


@pytest.fixture(scope="module")
def lab_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """A lab API of its own: servers reach it by the network's gateway."""
    with support.running(tmp_path_factory.mktemp("machine-api"), OCTET) as started:
        yield started


@pytest.fixture(scope="module")
def booted(lab_api: support.Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """The server, its metadata, and an instance of the API that it is."""
    if os.geteuid() != 0:
        pytest.skip("real servers need root")
    settings = Settings(OCTET)
    machine = Machine(settings)
    with ExitStack() as stack:
        base.ensure(machine.podman, settings.run_dir)
        stack.callback(machine.remove_everything)
        machine.make_network()
        servers = PodmanServers(settings.run_dir, settings)
        stack.callback(servers.close)
        instance = lab_api.run_instance()
        servers.launch(LaunchSpec(instance, DISTRIBUTION, ADDRESS, None, None, LOGIN_USER))
        facts = InstanceFacts(
            instance, "ami-1", "t3.small", REGION, f"{REGION}a", ADDRESS, "123456789012", datetime.now(UTC),
            tags={"app": "shop", "env": "prod"}, role_name="shop",
        )  # fmt: skip
        # The network's gateway is an address of this machine once the network has a container.
        metadata = MetadataService(lambda _address: facts, settings.gateway, settings.metadata_port)
        stack.callback(metadata.close)
        stack.enter_context(between(lab_api.url, (settings.gateway, settings.api_port)))
        made = Booted(machine.podman, servers, f"{settings.name}-{instance}", instance)
        install(made, tmp_path_factory.mktemp("install"))
        yield made


@pytest.fixture
def planted(booted: Booted, lab_api: support.Api) -> Iterator[Booted]:
    """All nasty values in a store, and the declaration of a server that has them all."""
    secrets = lab_api.client("secretsmanager")
    texts = {**NAMES, **{key: content.decode() for key, content in FILES.items()}, "PLANTED": f"{MARK}$\n\"'\\"}
    secrets.create_secret(Name="shop/prod/nasty", SecretString=json.dumps(texts))
    for key, blob in BLOBS.items():
        secrets.create_secret(Name=f"nasty/{key}", SecretBinary=blob)
    booted.declare({"sources": SOURCES, "keys": KEYS})
    yield booted
    for name in ("shop/prod/nasty", *(f"nasty/{key}" for key in BLOBS)):
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def leaks(booted: Booted, *needles: str) -> list[str]:
    """Where a planted value is found: journal with all its fields, console, process lists, files of every user."""
    words = " ".join(f"-e '{needle}'" for needle in needles)
    places = []
    if booted.try_(f"journalctl --all --output=export | grep --text --quiet {words}") == 0:
        places.append("journal")
    if any(needle in booted.console() for needle in needles):
        places.append("console")
    # The grep's own command line is not one of them.
    argv = booted.run("for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file; echo; done 2>/dev/null; true")
    if any(needle in line for line in argv.splitlines() for needle in needles if "grep" not in line):
        places.append("argv")
    beside = "--exclude-dir=proc --exclude-dir=sys --exclude-dir=dev --exclude-dir=immutable --exclude-dir=credentials"
    # The declaration's pattern is no value; /var/lib/app is where the test's program wrote what it got.
    files = booted.run(f"grep --recursive --text -l {beside} --exclude-dir=app {words} / 2>/dev/null; true")
    return places + [file for file in files.split() if file != "/etc/immutable/config.yml"]


def test_every_nasty_value_arrives_byte_for_byte_in_both_ways(planted: Booted, tally: Tally) -> None:
    assert len(NAMES) >= 60
    assert planted.boot_app() == 0, planted.run("journalctl -n 30 --no-pager")
    environ = planted.environ()
    wrong = [name for name, text in NAMES.items() if environ.get(name) != text.encode()]
    assert wrong == []
    names = planted.run("cd /var/lib/app/files && ls").split()
    got = {name.removeprefix("config_"): planted.content(f"/var/lib/app/files/{name}") for name in names}
    assert got == {**FILES, **BLOBS}
    found = leaks(planted, MARK, "-----BEGIN KEY-----", "p%40ss@h")
    tally.note("nasty values through systemd", "all", whole=True, leaks=found)
    assert found == []


def test_what_is_written_is_on_tmpfs_and_roots_alone(planted: Booted) -> None:
    assert planted.boot_app() == 0
    assert planted.run("findmnt -n -o FSTYPE -T /run/immutable/current/config.env").strip() == "tmpfs"
    modes = planted.run("stat -c '%a %U' /run/immutable /run/immutable/current/ /run/immutable/current/config.env")
    assert modes.splitlines() == ["700 root", "700 root", "400 root"]
    assert planted.run("stat -c '%a %U' /run/immutable/current/files/* | sort -u").splitlines() == ["400 root"]


def test_the_app_is_bound_to_its_configuration(planted: Booted) -> None:
    assert planted.boot_app() == 0
    assert planted.run("systemctl is-active app-web config-pull").split() == ["active", "active"]
    planted.run("systemctl stop config-pull")
    assert planted.try_("systemctl is-active --quiet app-web") != 0
    assert planted.try_("test -e /run/immutable/current") != 0


def test_people_see_keys_and_sources_and_no_value(planted: Booted) -> None:
    assert planted.boot_app() == 0
    command = "set -a; . /dev/stdin; /usr/lib/immutable/config-pull"
    told = f"systemctl show-environment | {{ {command} check; }}"
    shown = planted.run(told)
    assert "PLANTED = (secret) from secrets_manager shop/prod/nasty" in shown
    assert MARK not in shown
    assert planted.run(told.replace("check", "diff")).strip() == ""


FAILURES: dict[str, tuple[dict[str, Any] | None, int, str]] = {
    "incomplete": ({"sources": SOURCES[:1], "keys": {"MISSING": {"required": True}}}, 15, "MISSING is required"),
    "denied or gone": ({"sources": [{"secrets_manager": "no/such"}], "keys": {}}, 13, "there is no such entry"),
    "refused key": ({"sources": [{"secrets_manager": "shop/prod/evil"}], "keys": {}}, 15, "'LD_PRELOAD' in"),
    "no declaration": (None, 10, "can't be read: No such file"),
    "store down": ({"sources": [{"vault": "kv/x", "address": "http://127.0.0.1:9", "auth": "token_file",
                                 "token_file": "/etc/hostname"}], "keys": {}}, 14, "Connection refused"),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_without_its_configuration_no_app_starts_and_the_cause_is_the_last_line(
    planted: Booted, lab_api: support.Api, tally: Tally, failure: str
) -> None:
    declaration, code, cause = FAILURES[failure]
    if failure == "refused key":
        secret = json.dumps({"LD_PRELOAD": f"/{MARK}.so"})
        lab_api.client("secretsmanager").create_secret(Name="shop/prod/evil", SecretString=secret)
    if declaration is None:
        planted.run("rm /etc/immutable/config.yml")
    else:
        planted.declare(declaration)
    assert planted.boot_app() != 0
    assert planted.try_("test -e /var/lib/app/environ") != 0
    assert planted.try_("test -e /run/immutable/current") != 0
    assert planted.run("systemctl show -P ExecMainStatus config-pull").strip() == str(code)
    # systemd's own lines about the unit's end come after it; the agent's last one is the cause.
    last = planted.run("journalctl --unit config-pull _COMM=config-pull --output=cat -n 1").strip()
    assert cause in last
    assert f"exit code {code}]" in last
    console = [line for line in planted.console().splitlines() if "config-pull: " in line]
    assert cause in console[-1]
    tags = lab_api.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [planted.instance]}])["Tags"]
    assert f"({code})" in {tag["Key"]: tag["Value"] for tag in tags}["config-pull"]
    found = leaks(planted, MARK)
    tally.note("no start on a booted server", failure, whole=True, leaks=found)
    assert found == []
