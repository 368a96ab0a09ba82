# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our signatures are the same as botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import pytest
from botocore import auth, awsrequest
from botocore import credentials as botocore_credentials

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.aws.sigv4 import Credentials, Scope, signed

NOW = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("token", [None, "session/token+=="])
@pytest.mark.parametrize("host", ["ssm.eu-west-1.amazonaws.com", "127.0.0.1:4566"])
@pytest.mark.parametrize(
    ("service", "headers", "body"),
    [
        ("ssm", {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.GetParameters"}, b'{"a": 1}'),
        ("sts", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, b"Action=GetCallerIdentity"),
        ("ec2", {"X-Vault-AWS-IAM-Server-ID": "vault.example.com"}, "ünïcode".encode()),
        ("secretsmanager", {}, b""),
    ],
)
def test_like_botocore(service: str, headers: dict[str, str], body: bytes, host: str, token: str | None) -> None:
    request = awsrequest.AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    theirs = auth.SigV4Auth(botocore_credentials.Credentials("AKID", "secret", token), service, "eu-west-1")
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        theirs.add_auth(request)
    ours = signed(Credentials("AKID", "secret", token), Scope("eu-west-1", service), host, headers, body, NOW)
    assert ours["Authorization"] == request.headers["Authorization"]
    assert ours["X-Amz-Date"] == "20261124T030405Z"
