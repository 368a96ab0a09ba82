# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration of two complete states, each value of which can be found again wherever it leaks to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.settings import SECRET_KEY
from tests.lab.config_pull.agent import Agent
from tests.lab.contract.support import Api
from tests.vault.server import Vault

MARK = "PLANTED"
NAMES = 23
DECLARATION = """
sources:
  - {{parameter_store: "/faults/{{env}}/"}}
  - {{secrets_manager: "faults/{{env}}/rails"}}
  - {{secrets_manager: "faults/{{env}}/tls", key: TLS_KEY, version: "{version}"}}
  - {{vault: "kv/shop/faults", address: "{vault}", auth: aws_iam, role: shop, server_id: vault.lab}}
keys:
  TLS_KEY: {{required: true, as: file}}
  K00: {{required: true, pattern: "^PLANTED"}}
  IN_JSON: {{required: true}}
  IN_VAULT: {{required: true}}
"""


@dataclass(frozen=True)
class State:
    """What lies below ``current``: the EnvironmentFile and the files."""

    variables: str
    files: dict[str, bytes]


OLD = State(f'K00="{MARK}-old"\n', {"TLS_KEY": f"{MARK}-old-file".encode()})


def plant(api: Api, vault: Vault) -> tuple[State, str]:
    """Put the new state into all stores; returns it, and the declaration, with {vault} to be filled in."""
    ssm, secrets = api.client("ssm"), api.client("secretsmanager")
    for number in range(NAMES):
        name = f"/faults/prod/K{number:02}"
        ssm.put_parameter(Name=name, Value=f"{MARK}-p-{number}", Type="SecureString", Overwrite=True)
    secrets.create_secret(Name="faults/prod/rails", SecretString=json.dumps({"IN_JSON": f"{MARK}-json"}))
    binary = f"{MARK}-\0-file".encode()
    version = secrets.create_secret(Name="faults/prod/tls", SecretBinary=binary)["VersionId"]
    vault.call("POST", "kv/data/shop/faults", {"data": {"IN_VAULT": f"{MARK}-vault"}})
    lines = [f'IN_JSON="{MARK}-json"\n', f'IN_VAULT="{MARK}-vault"\n']
    lines += [f'K{number:02}="{MARK}-p-{number}"\n' for number in range(NAMES)]
    return State("".join(lines), {"TLS_KEY": binary}), DECLARATION.format(version=version, vault="%VAULT%")


def put_old(agent: Agent) -> None:
    """The old state, as an earlier run left it."""
    generation = agent.root / "generation-old"
    (generation / "files").mkdir(parents=True)
    (generation / "config.env").write_text(OLD.variables)
    for name, content in OLD.files.items():
        (generation / "files" / name).write_bytes(content)
    (agent.root / "current").symlink_to("generation-old")


def found(agent: Agent) -> State | None:
    """What a unit that starts now would read; None where there is nothing to read."""
    if not (agent.root / "current").exists():
        return None
    return State(agent.variables(), agent.files())


def leaks(folder: Path, allowed: Path, texts: Iterable[str]) -> list[str]:
    """Where a planted value, or the secret key, is found beside where it belongs."""
    needles = (MARK, SECRET_KEY)
    places = [f"output {number}" for number, text in enumerate(texts) if any(needle in text for needle in needles)]
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and allowed not in path.parents:
            content = path.read_bytes()
            # The pattern of the declaration is no value.
            content = content.replace(b"^PLANTED", b"")
            if any(needle.encode() in content for needle in needles):
                places.append(str(path))
    return places
