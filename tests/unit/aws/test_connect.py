# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to AWS that can't work is said at once, in one line that says what to do."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.aws.cloudformation import describe_stack
from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import connect


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def refused(**auth: Any) -> str:
    with pytest.raises(AwsError) as failure:
        connect(auth)
    said = str(failure.value)
    assert "\n" not in said
    return said


def test_the_lab_is_not_running(unused_port: int) -> None:
    said = refused(region="eu-west-1", endpoint_url=f"http://127.0.0.1:{unused_port}")
    assert "is the lab running (make lab-status)?" in said


def test_the_endpoint_of_the_shell_is_looked_at_too(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    assert f"nothing answers at the endpoint http://127.0.0.1:{unused_port}" in refused(region="eu-west-1")


def test_no_region() -> None:
    assert "set `region` in the environment's file, or AWS_REGION" in refused()


def test_an_unknown_profile() -> None:
    assert "nobody" in refused(profile="nobody", region="eu-west-1")


def test_no_credentials() -> None:
    with pytest.raises(AwsError, match="no AWS credentials were found; set AWS_PROFILE"):
        describe_stack(connect({"region": "eu-west-1"}), "shop-prod-edge")


def test_an_answer_that_is_not_awss() -> None:
    """Such as the page of a proxy that wants a login."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = connect(
            {
                "region": "eu-west-1",
                "endpoint_url": f"http://127.0.0.1:{server.getsockname()[1]}",
                "access_key": "any",
                "secret_key": "any-other",
                "aws_config": {"retries": {"total_max_attempts": 1}},
            }
        )
        server.accept()[0].close()  # connect() looked whether someone listens
        thread = threading.Thread(target=answer_once, args=(server, b"<p>Please log in."))
        thread.start()
        with pytest.raises(AwsError, match="Could not read the stack shop-prod-edge"):
            describe_stack(clients, "shop-prod-edge")
        thread.join()


def answer_once(server: socket.socket, page: bytes) -> None:
    connection, _address = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
