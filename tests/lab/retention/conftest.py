# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated AWS and the module against it, over HTTP through the real botocore."""

from __future__ import annotations

import functools
import json
import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible.module_utils.testing import patch_module_args
from botocore import loaders
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler

from ansible_collections.immutable.ec2.plugins.modules import ami_retention
from lab.api.ec2 import image_life
from tests.lab.retention.account import Account
from tests.lab.retention.emulator import Front, serving

Report = dict[str, t.Any]
Prune = Callable[..., Report]


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Front, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        # moto's server says each request on an output that belongs to the module's run.
        patch.setattr(MotoRequestHandler, "log", lambda *_arguments: None)
        # Each run has a session of its own, which would read botocore's descriptions of the services anew.
        shared = functools.cache(loaders.create_loader)
        patch.setattr(loaders, "create_loader", shared)
        front = Front()
        with serving(front) as url:
            yield front, url


@pytest.fixture
def environment(served: tuple[Front, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What leads the module to the emulator."""
    for name, value in {
        "AWS_ENDPOINT_URL": served[1],
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def front(served: tuple[Front, str], environment: None) -> Front:
    """The empty emulator."""
    empty(served[0])
    return served[0]


def empty(front: Front) -> None:
    """Makes the emulator forget everything."""
    moto_api_backend.reset()
    image_life.RETAINS.clear()
    front.reset()


@pytest.fixture
def account(front: Front, served: tuple[Front, str]) -> Account:
    return Account(served[1])


@pytest.fixture
def elsewhere(front: Front, served: tuple[Front, str]) -> Account:
    return Account(served[1], "us-east-1")


@pytest.fixture
def prune(environment: None, capsys: pytest.CaptureFixture[str]) -> Prune:
    """Runs the module and returns its result, with `failed` where it failed."""

    def run(*, check: bool = False, diff: bool = False, **arguments: t.Any) -> Report:
        # Two attempts: a call that fails for good is not tried ten times with pauses.
        arguments = {"keep": {"newest": 1}, "aws_config": {"retries": {"max_attempts": 2}}, **arguments}
        with (
            patch_module_args({**arguments, "_ansible_check_mode": check, "_ansible_diff": diff}),
            pytest.raises(SystemExit),
        ):
            ami_retention.main()
        report: Report = json.loads(capsys.readouterr().out)
        report.pop("invocation", None)
        return report

    return run
