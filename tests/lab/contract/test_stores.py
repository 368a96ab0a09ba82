# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store and Secrets Manager as config-pull asks them, and the lab's own page."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from lab.api.safe_yaml import use_safe_loader
from tests.lab.contract.support import Api, wait_for


def test_parameters_come_ten_a_page(api: Api) -> None:
    ssm = api.client("ssm")
    for number in range(12):
        ssm.put_parameter(Name=f"/pages/prod/K{number:02}", Value=f"v{number}", Type="SecureString")
    first = ssm.get_parameters_by_path(Path="/pages/prod/", WithDecryption=True)
    assert len(first["Parameters"]) == 10
    rest = ssm.get_parameters_by_path(Path="/pages/prod/", WithDecryption=True, NextToken=first["NextToken"])
    assert [each["Value"] for each in rest["Parameters"]] == ["v10", "v11"]
    assert "NextToken" not in rest


def test_secret_is_read_by_name(api: Api) -> None:
    secrets = api.client("secretsmanager")
    secrets.create_secret(Name="shop/prod/rails", SecretString=json.dumps({"SECRET_KEY_BASE": "x"}))
    assert json.loads(secrets.get_secret_value(SecretId="shop/prod/rails")["SecretString"]) == {"SECRET_KEY_BASE": "x"}
    with pytest.raises(ClientError) as refusal:
        secrets.get_secret_value(SecretId="shop/prod/nothing")
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_names_of_aws_are_refused(api: Api) -> None:
    with pytest.raises(ClientError):
        api.client("ssm").put_parameter(Name="/aws/service/mine", Value="x", Type="String")


def test_status_shows_listeners_targets_and_servers(api: Api) -> None:
    group, instance = api.target_group("status"), api.run_instance()
    _listener, url = api.listener("status", {group: 7})
    api.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])

    def status() -> dict[str, list[dict[str, object]]]:
        with urllib.request.urlopen(f"{api.url}/_lab/status", timeout=5) as answer:
            found: dict[str, list[dict[str, object]]] = json.load(answer)
        return found

    assert {"load_balancer": "status", "url": url, "weights": {"status": 7}} in status()["listeners"]
    assert instance in [server["id"] for server in status()["servers"]]
    wait_for(
        lambda: [each for each in status()["targets"] if each["id"] == instance and each["state"] == "unhealthy"],
        "the target's health",
    )


def test_moto_runs_no_code_of_a_template(tmp_path: Path) -> None:
    use_safe_loader()
    from moto.cloudformation import models

    assert models.yaml.load("{Ref: !Ref Name}", Loader=models.yaml.Loader) == {"Ref": {"Ref": "Name"}}
    models.yaml.load(f"!!python/object/apply:os.mkdir ['{tmp_path}/made']", Loader=models.yaml.Loader)
    assert not (tmp_path / "made").exists()
