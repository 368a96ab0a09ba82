# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Vault: both KV versions, three ways to log in, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.config_pull.agent import Agent
from tests.vault.server import Vault

SERVER = "role: shop, server_id: vault.lab"


@pytest.fixture(autouse=True)
def _secrets(vault: Vault) -> None:
    vault.call("POST", "kv/data/shop/prod", {"data": {"A": "old", "N": 5}})
    vault.call("POST", "kv/data/shop/prod", {"data": {"A": "s3cret", "N": 5}})
    vault.call("POST", "old/shop/prod", {"A": "v1"})
    vault.call("POST", "kv/data/other/prod", {"data": {"A": "not ours"}})


def declare(agent: Agent, vault: Vault, options: str, name: str = "kv/{app}/{env}") -> None:
    agent.declare(f'sources: [{{vault: "{name}", address: "{vault.address}", {options}}}]')


def approle(vault: Vault, folder: Path) -> str:
    role = vault.call("GET", "auth/approle/role/shop/role-id")["data"]["role_id"]
    secret = vault.call("POST", "auth/approle/role/shop/secret-id", {})["data"]["secret_id"]
    (folder / "role-id").write_text(role + "\n")
    (folder / "secret-id").write_text(secret + "\n")
    return f"auth: approle, role_id_file: {folder}/role-id, secret_id_file: {folder}/secret-id"


def test_login_by_the_servers_aws_role(agent: Agent, vault: Vault) -> None:
    declare(agent, vault, f"auth: aws_iam, {SERVER}, sts_region: eu-west-1")
    ended = agent.run()
    assert ended.code == 0, ended.err
    assert agent.variables() == 'A="s3cret"\nN="5"\n'


def test_login_by_approle_and_by_a_token_in_a_file(agent: Agent, vault: Vault, tmp_path: Path) -> None:
    declare(agent, vault, approle(vault, tmp_path))
    ended = agent.run()
    assert ended.code == 0, ended.err
    assert agent.variables() == 'A="s3cret"\nN="5"\n'
    token = vault.call("POST", "auth/token/create", {"policies": ["shop"]})["auth"]["client_token"]
    (tmp_path / "token").write_text(token)
    declare(agent, vault, f"auth: token_file, token_file: {tmp_path}/token, version: 1")
    assert agent.run().code == 0
    assert "old" in agent.variables()


def test_kv_version_1_in_a_mount_that_is_named(agent: Agent, vault: Vault, tmp_path: Path) -> None:
    declare(agent, vault, f"engine: 1, {approle(vault, tmp_path)}", "old/{app}/{env}")
    assert agent.run().code == 0
    assert agent.variables() == 'A="v1"\n'
    declare(agent, vault, f"engine: 1, mount: old, {approle(vault, tmp_path)}", "{app}/{env}")
    assert agent.run().code == 0


@pytest.mark.parametrize(
    ("options", "name", "code", "cause"),
    [
        ("auth: aws_iam, role: nobody, server_id: vault.lab", "kv/shop/prod", 12, "login by aws_iam denied"),
        ("auth: aws_iam, role: shop, server_id: another", "kv/shop/prod", 12, "login by aws_iam denied"),
        (f"auth: aws_iam, {SERVER}", "kv/other/prod", 12, "the policies of its role need read"),
        (f"auth: aws_iam, {SERVER}", "kv/shop/nothing", 13, "there is no such entry in a KV engine of version 2"),
        (f"auth: aws_iam, {SERVER}, version: 99", "kv/shop/prod", 13, "there is no such entry"),
        ("auth: token_file, token_file: /nowhere", "kv/shop/prod", 12, "token_file /nowhere can't be read"),
    ],
)
def test_refusals(agent: Agent, vault: Vault, options: str, name: str, code: int, cause: str) -> None:
    declare(agent, vault, options, name)
    ended = agent.run()
    assert ended.code == code
    assert cause in ended.cause
    assert not agent.root.exists()


def test_what_is_optional_may_be_missing_but_not_denied(agent: Agent, vault: Vault) -> None:
    declare(agent, vault, f"auth: aws_iam, {SERVER}, optional: true", "kv/shop/nothing")
    ended = agent.run()
    assert (ended.code, "does not exist, and is optional" in ended.err) == (0, True)
    declare(agent, vault, f"auth: aws_iam, {SERVER}, optional: true", "kv/other/prod")
    assert agent.run().code == 12


def test_a_vault_that_is_sealed_is_waited_for_and_then_said(agent: Agent, vault: Vault) -> None:
    declare(agent, vault, f"auth: aws_iam, {SERVER}")
    vault.call("PUT", "sys/seal")
    try:
        ended = Agent(agent.folder, agent.environment, deadline=1.5).run()
    finally:
        vault.call("PUT", "sys/unseal", {"key": vault.key})
    assert ended.code == 14
    assert "Vault is sealed; somebody must unseal it" in ended.cause
    assert agent.run().code == 0


def test_a_vault_that_nobody_named(agent: Agent) -> None:
    agent.declare("sources: [{vault: kv/shop/prod}]")
    ended = agent.run()
    assert (ended.code, "says no address of Vault" in ended.cause) == (10, True)
