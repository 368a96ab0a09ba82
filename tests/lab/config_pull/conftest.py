# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real stores for the agent: Parameter Store and Secrets Manager of a lab's API, a Vault, and instance metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.metadata.facts import InstanceFacts
from lab.metadata.service import MetadataService
from lab.settings import REGION
from tests import octets
from tests.lab.config_pull import sts
from tests.lab.config_pull.agent import Agent
from tests.lab.config_pull.tally import Tally
from tests.lab.contract import support
from tests.vault import server as vault_server

TAGS = {"app": "shop", "env": "prod"}


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Api]:
    """A lab API without servers."""
    with support.running(tmp_path_factory.mktemp("lab-api"), octets.CONFIG_API) as started:
        yield started


@pytest.fixture(scope="session")
def vault() -> Iterator[vault_server.Vault]:
    """A Vault with KV engines of both versions and three ways to log in."""
    try:
        program = vault_server.build()
    except vault_server.CannotBuild as error:
        pytest.skip(str(error))
    assert program.exists()
    with vault_server.running() as vault, sts.answering() as sts_url:
        prepare(vault, sts_url)
        yield vault


def prepare(vault: vault_server.Vault, sts_url: str) -> None:
    """Mounts, the auth methods of servers, and a role ``shop`` that may read the app's own."""
    vault.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    vault.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    vault.policy("shop", "kv/data/shop/*", "old/shop/*")
    vault.call("POST", "sys/auth/aws", {"type": "aws"})
    vault.call("POST", "auth/aws/config/client", {"sts_endpoint": sts_url, "iam_server_id_header_value": "vault.lab"})
    bound = {"bound_iam_principal_arn": sts.ROLE, "resolve_aws_unique_ids": False, "auth_type": "iam"}
    vault.call("POST", "auth/aws/role/shop", {**bound, "token_policies": "shop"})
    vault.call("POST", "sys/auth/approle", {"type": "approle"})
    vault.call("POST", "auth/approle/role/shop", {"token_policies": "shop"})


@contextmanager
def instance_metadata() -> Iterator[str]:
    """The URL of the metadata of an instance of the app in prod, with a role."""
    facts = InstanceFacts(
        "i-0123456789abcdef0",
        "ami-0123456789abcdef0",
        "t3.small",
        REGION,
        f"{REGION}a",
        "127.0.0.1",
        sts.ACCOUNT,
        datetime.now(UTC),
        tags=TAGS,
        role_name="shop-servers",
    )
    service = MetadataService(lambda _address: facts, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{service.port}"
    finally:
        service.close()


@pytest.fixture(scope="session")
def metadata() -> Iterator[str]:
    """The same for all tests."""
    with instance_metadata() as url:
        yield url


@pytest.fixture
def agent(tmp_path: Path, api: support.Api, metadata: str) -> Agent:
    """The agent on such an instance."""
    return Agent(tmp_path, environment(api.url, metadata))


def environment(api_url: str, metadata: str) -> dict[str, str]:
    """What tells the agent where AWS is."""
    return {
        "AWS_ENDPOINT_URL": api_url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }


@pytest.fixture(scope="session")
def tally() -> Iterator[Tally]:
    """The fault cases of this run; they are written to build/config_faults.json at its end."""
    counted = Tally()
    yield counted
    counted.write()
