# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a server waits for its configuration, beside a plain boto3 script and the AWS CLI; and 200 servers at once.

60 parameters, 1 JSON secret and 1 path of Vault, from process start to file written: medians of runs that take turns.
The calls are counted in a run apart, through proxies; those to the instance's metadata are among them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests import octets
from tests.benchmarks import massboot
from tests.benchmarks.results import circumstances
from tests.lab.config_pull import sts
from tests.lab.config_pull.agent import Agent
from tests.lab.config_pull.conftest import instance_metadata, prepare
from tests.lab.config_pull.proxy import between
from tests.lab.contract import support
from tests.vault import server as vault_server

RUNS = 15
PARAMETERS = 60
LINES = PARAMETERS + 4
PLAIN = Path(__file__).parent / "plain"
DECLARATION = """
sources:
  - {{parameter_store: "/{{app}}/{{env}}/"}}
  - {{secrets_manager: "{{app}}/{{env}}/rails"}}
  - {{vault: "kv/{{app}}/{{env}}", address: "{vault}", auth: approle,
     role_id_file: {folder}/role-id, secret_id_file: {folder}/secret-id}}
keys:
  SECRET_KEY_BASE: {{required: true}}
"""


@dataclass(frozen=True)
class Urls:
    """Where the three services are."""

    aws: str
    vault: str
    metadata: str

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata,
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
            "AWS_CONFIG_FILE": "/nowhere",
            "PATH": os.environ["PATH"],
            "HOME": "/nowhere",
        }


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-config-")))
        api = stack.enter_context(support.running(folder, octets.BENCH_CONFIG))
        vault = stack.enter_context(vault_server.running())
        prepare(vault, stack.enter_context(sts.answering()))
        urls = Urls(api.url, vault.address, stack.enter_context(instance_metadata()))
        fill(api, vault, folder)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands(folder, urls)}
        for number in range(RUNS + 1):
            for name, command in commands(folder, urls).items():
                taken = run(command, urls.environment())
                check(name, folder)
                # The first run of each reads the disk.
                times[name] += [taken] if number else []
        figures: dict[str, object] = {
            name: {
                "seconds": round(statistics.median(seconds for seconds, _cpu in taken), 3),
                "cpu_seconds": round(statistics.median(cpu for _seconds, cpu in taken), 3),
                "calls": calls(name, folder, urls),
            }
            for name, taken in times.items()
        }
    figures["mass_boot"] = massboot.measure()
    for name, value in {**figures, **circumstances()}.items():
        print(f"{name:<14} {value}")
    Path(sys.argv[1]).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def fill(api: support.Api, vault: vault_server.Vault, folder: Path) -> None:
    """Put the configuration into the stores, and an AppRole's ids into files."""
    for number in range(PARAMETERS):
        api.client("ssm").put_parameter(Name=f"/shop/prod/P{number:02}", Value=f"v{number}" * 20, Type="SecureString")
    secret = json.dumps({"SECRET_KEY_BASE": "0123456789abcdef" * 8, "API_KEY": "k" * 40})
    api.client("secretsmanager").create_secret(Name="shop/prod/rails", SecretString=secret)
    vault.call("POST", "kv/data/shop/prod", {"data": {"REDIS_URL": "redis://h/1", "SMTP_PASSWORD": "p" * 20}})
    role = vault.call("GET", "auth/approle/role/shop/role-id")["data"]["role_id"]
    made = vault.call("POST", "auth/approle/role/shop/secret-id", {})["data"]["secret_id"]
    (folder / "role-id").write_text(role)
    (folder / "secret-id").write_text(made)


def commands(folder: Path, urls: Urls) -> dict[str, list[str]]:
    """The three programs' command lines."""
    agent = Agent(folder)
    agent.declare(DECLARATION.format(vault=urls.vault, folder=folder))
    plain = [str(folder / "plain.env"), urls.vault, str(folder / "role-id"), str(folder / "secret-id")]
    return {
        "ours": agent.command(),
        "boto3": [sys.executable, "-I", str(PLAIN / "config_boto3.py"), *plain],
        "aws_cli": [str(PLAIN / "config_aws_cli"), *plain],
    }


def run(command: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds and CPU seconds of a program and all that it started."""
    start = time.perf_counter()
    silence = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawnp(command[0], command, dict(environment), file_actions=[(os.POSIX_SPAWN_DUP2, silence, 2)])
    _pid, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    os.close(silence)
    if status:
        raise SystemExit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_utime + usage.ru_stime


def check(name: str, folder: Path) -> None:
    """The program wrote all of it; then it is removed."""
    file = folder / "run" / "current" / "config.env" if name == "ours" else folder / "plain.env"
    lines = len(file.read_text().splitlines())
    if lines != LINES:
        raise SystemExit(f"{name} wrote {lines} lines, {LINES} are expected")
    file.unlink()


def calls(name: str, folder: Path, urls: Urls) -> int:
    """How many requests one run sends, to the metadata and to the stores."""
    with between(urls.aws) as aws, between(urls.vault) as vault, between(urls.metadata) as metadata:
        through = Urls(aws.url, vault.url, metadata.url)
        run(commands(folder, through)[name], through.environment())
        return len(aws.calls) + len(vault.calls) + len(metadata.calls)


if __name__ == "__main__":
    main()
