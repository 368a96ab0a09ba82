# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameter Store and Secrets Manager on the lab's API: what is read, by how many calls, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.lab.config_pull.agent import Agent
from tests.lab.config_pull.proxy import between
from tests.lab.contract.support import Api
from tests.vault.server import Vault


def test_all_pages_of_a_path_decrypted_and_nothing_beside_it(agent: Agent, api: Api) -> None:
    ssm = api.client("ssm")
    for number in range(25):
        ssm.put_parameter(Name=f"/shop/prod/KEY_{number:02}", Value=f"value {number}", Type="SecureString")
    for name in ("/shop/production/OTHER", "/shop/prod/deeper/DEEP"):
        ssm.put_parameter(Name=name, Value="x", Type="String")
    agent.declare('sources: [{parameter_store: "/{app}/{env}"}]')
    assert agent.run().code == 0
    lines = [f'KEY_{number:02}="value {number}"' for number in range(25)]
    assert agent.variables().splitlines() == lines
    agent.declare('sources: [{parameter_store: "/{app}/{env}/", recursive: true}]')
    assert agent.run().code == 0
    assert agent.variables().splitlines() == ['DEEP="x"', *lines]


def test_one_parameter_by_version_and_label(agent: Agent, api: Api) -> None:
    ssm = api.client("ssm")
    for value in ("one", "two", "three"):
        ssm.put_parameter(Name="/one/level", Value=value, Type="String", Overwrite=True)
    ssm.label_parameter_version(Name="/one/level", ParameterVersion=1, Labels=["first"])
    agent.declare(
        "sources: [{parameter_store: /one/level, key: A}, {parameter_store: /one/level, key: B, version: 2},"
        " {parameter_store: /one/level, key: C, label: first},"
        " {parameter_store: /one/nothing, key: D, optional: true}]"
    )
    ended = agent.run()
    assert agent.variables() == 'A="three"\nB="two"\nC="one"\n'
    assert "/one/nothing does not exist, and is optional" in ended.err
    agent.declare("sources: [{parameter_store: /one/nothing, key: D}]")
    ended = agent.run()
    assert (ended.code, "there is no parameter /one/nothing" in ended.cause) == (13, True)


def test_secrets_text_json_and_binary_by_version_and_stage(agent: Agent, api: Api) -> None:
    client = api.client("secretsmanager")
    first = client.create_secret(Name="kinds/json", SecretString='{"A": "a", "N": 1.0, "B": false}')["VersionId"]
    client.put_secret_value(SecretId="kinds/json", SecretString='{"A": "new"}')
    client.create_secret(Name="kinds/text", SecretString="not { json")
    client.create_secret(Name="kinds/binary", SecretBinary=b"\x00\xff")
    agent.declare(
        f"sources: [{{secrets_manager: kinds/json, version: {first}}}, {{secrets_manager: kinds/text, key: TEXT}},"
        " {secrets_manager: kinds/binary, key: BLOB}, {secrets_manager: kinds/nothing, optional: true}]\n"
        "keys: {BLOB: {as: file}}"
    )
    assert agent.run().code == 0
    assert agent.variables() == 'A="a"\nB="false"\nN="1.0"\nTEXT="not { json"\n'
    assert agent.files() == {"BLOB": b"\x00\xff"}
    agent.declare("sources: [{secrets_manager: kinds/json, stage: AWSPREVIOUS}]")
    assert agent.run().code == 0
    assert agent.variables() == 'A="a"\nB="false"\nN="1.0"\n'


@pytest.mark.parametrize(
    ("name", "cause", "code"),
    [
        ("kinds2/text", "a JSON object is expected", 15),
        ("kinds2/twice", "its JSON says a key twice", 15),
        ("kinds2/binary", "it is binary; say with key", 15),
        ("kinds2/nothing", "there is no such entry (ResourceNotFoundException)", 13),
    ],
)
def test_a_secret_that_is_no_configuration(agent: Agent, api: Api, name: str, cause: str, code: int) -> None:
    client = api.client("secretsmanager")
    contents = {"kinds2/text": "s3cret", "kinds2/twice": '{"A": "s3cret", "A": "s3cret"}'}
    if name in contents:
        client.create_secret(Name=name, SecretString=contents[name])
    elif name == "kinds2/binary":
        client.create_secret(Name=name, SecretBinary=b"s3cret")
    agent.declare(f"sources: [{{secrets_manager: {name}}}]")
    ended = agent.run()
    assert ended.code == code
    assert cause in ended.cause
    assert "s3cret" not in ended.err
    assert not agent.root.exists()


def test_many_secrets_come_by_one_call(agent: Agent, api: Api) -> None:
    client = api.client("secretsmanager")
    for number in range(20):
        client.create_secret(Name=f"many/{number}", SecretString=json.dumps({f"K{number:02}": "v"}))
    sources = ", ".join(f"{{secrets_manager: many/{number}}}" for number in range(20))
    agent.declare(f"sources: [{sources}, {{secrets_manager: many/none}}]")
    with between(api.url) as proxy:
        counted = replace(agent, environment={**agent.environment, "AWS_ENDPOINT_URL": proxy.url})
        ended = counted.run()
        assert ended.code == 13
        assert "secrets_manager many/none: there is no such entry" in ended.cause
        agent.declare(f"sources: [{sources}]")
        proxy.calls.clear()
        assert counted.run().code == 0
        assert proxy.calls == ["BatchGetSecretValue"]
    assert len(agent.variables().splitlines()) == 20


def test_later_sources_win_and_both_stores_are_read(agent: Agent, api: Api) -> None:
    api.client("ssm").put_parameter(Name="/both/prod/A", Value="parameter", Type="String")
    api.client("ssm").put_parameter(Name="/both/prod/B", Value="parameter", Type="String")
    api.client("secretsmanager").create_secret(Name="both/prod", SecretString='{"A": "secret"}')
    agent.declare('sources: [{parameter_store: "/both/{env}/"}, {secrets_manager: "both/{env}"}]')
    assert agent.run().code == 0
    assert agent.variables() == 'A="secret"\nB="parameter"\n'


def test_servers_of_a_manifest_read_its_versions_whatever_is_newer(agent: Agent, api: Api) -> None:
    ssm, secrets = api.client("ssm"), api.client("secretsmanager")
    for value in ("one", "two"):
        ssm.put_parameter(Name="/pinned/prod/A", Value=value, Type="SecureString", Overwrite=True)
    old = secrets.create_secret(Name="pinned/prod", SecretString='{"B": "one"}')["VersionId"]
    secrets.update_secret_version_stage(SecretId="pinned/prod", VersionStage="blue", MoveToVersionId=old)
    secrets.put_secret_value(SecretId="pinned/prod", SecretString='{"B": "two"}')
    secrets.put_secret_value(SecretId="pinned/prod", SecretString='{"B": "three"}')
    pins = {
        "parameter_store /pinned/prod/": {"parameters": {"A": 1}},
        "secrets_manager pinned/prod": {"stage": "blue"},
    }
    ssm.put_parameter(Name="/immutable/manifest", Value=json.dumps({"format": 1, "sources": pins}), Type="String")
    agent.declare('sources: [{parameter_store: "/pinned/{env}/"}, {secrets_manager: "pinned/{env}"}]')
    assert agent.run("--manifest", "/immutable/manifest").code == 0
    assert agent.variables() == 'A="one"\nB="one"\n'
    assert agent.run("--newest").code == 0
    assert agent.variables() == 'A="two"\nB="three"\n'
    agent.declare('sources: [{parameter_store: "/other/{env}/"}]')
    ended = agent.run("--manifest", "/immutable/manifest")
    assert (ended.code, "does not know it; deploy this image anew" in ended.cause) == (10, True)


def test_what_is_resolved_now_is_what_servers_read_later(agent: Agent, api: Api, vault: Vault) -> None:
    ssm, secrets = api.client("ssm"), api.client("secretsmanager")
    login = f'address: "{vault.address}", auth: aws_iam, role: shop, server_id: vault.lab'
    agent.declare(
        'sources: [{parameter_store: "/later/{env}/", recursive: true}, {secrets_manager: "later/{env}"},'
        f" {{vault: kv/shop/later, {login}}}, {{vault: old/shop/later, engine: 1, {login}}},"
        ' {parameter_store: "/later-free/{env}/", pin: false}]'
    )

    def put(value: str) -> None:
        for name in ("/later/prod/A", "/later/prod/deep/B", "/later-free/prod/F"):
            ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
        secrets.put_secret_value(SecretId="later/prod", SecretString=json.dumps({"C": value}))
        vault.call("POST", "kv/data/shop/later", {"data": {"D": value}})
        vault.call("POST", "old/shop/later", {"E": value})

    secrets.create_secret(Name="later/prod", SecretString="{}")
    put("s3cret-1")
    ended = agent.run("resolve")
    assert ended.code == 0, ended.err
    assert "s3cret" not in ended.out + ended.err
    ssm.put_parameter(Name="/immutable/later", Value=ended.out.strip(), Type="String")
    put("s3cret-2")
    assert agent.run("--manifest", "/immutable/later").code == 0
    # KV version 1 keeps no versions, and what says pin: false is read as it is.
    assert agent.variables().replace("s3cret-", "") == 'A="1"\nB="1"\nC="1"\nD="1"\nE="2"\nF="2"\n'
