# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody would write in half an hour to configure a server: boto3, one call after the other.

Usage: ``config_boto3.py FILE VAULT_ADDRESS ROLE_ID_FILE SECRET_ID_FILE``.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path

import boto3


def ask(url: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def main(file: str, vault: str, role_id: str, secret_id: str) -> None:
    imds = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "/latest"
    token = ask(f"{imds}/api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "300"}).decode()
    header = {"X-aws-ec2-metadata-token": token}
    app, env = (ask(f"{imds}/meta-data/tags/instance/{tag}", headers=header).decode() for tag in ("app", "env"))
    region = ask(f"{imds}/meta-data/placement/region", headers=header).decode()
    values: dict[str, str] = {}
    pages = boto3.client("ssm", region).get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=f"/{app}/{env}/", WithDecryption=True):
        for parameter in page["Parameters"]:
            values[parameter["Name"].rsplit("/", 1)[-1]] = parameter["Value"]
    secrets = boto3.client("secretsmanager", region)
    values |= json.loads(secrets.get_secret_value(SecretId=f"{app}/{env}/rails")["SecretString"])
    login = {"role_id": Path(role_id).read_text().strip(), "secret_id": Path(secret_id).read_text().strip()}
    answer = json.loads(ask(f"{vault}/v1/auth/approle/login", "POST", body=json.dumps(login).encode()))
    header = {"X-Vault-Token": answer["auth"]["client_token"]}
    values |= json.loads(ask(f"{vault}/v1/kv/data/{app}/{env}", headers=header))["data"]["data"]
    Path(file).write_text("".join(f"{name}={value}\n" for name, value in values.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
