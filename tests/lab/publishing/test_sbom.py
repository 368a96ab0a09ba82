# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SBOMs lie beside the image and in the bucket, where another machine finds them again to compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.immutable.ec2.plugins.modules import image_sbom
from tests.lab.publishing.conftest import HOME, Account

Bake = Callable[..., dict[str, Any]]
RAILS = {"type": "gem", "name": "rails", "version": "7.2.2"}
NEWER = RAILS | {"version": "7.2.3"}
CSV = {"type": "gem", "name": "csv", "version": "3.3.0"}


@pytest.fixture
def bake(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Bake:
    """Writes the SBOM of an image with these packages; returns the module's result."""
    for name, value in {
        "AWS_ENDPOINT_URL": account.api.url,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": HOME,
    }.items():
        monkeypatch.setenv(name, value)

    def run(app: str, release: str, *packages: dict[str, str], **more: Any) -> dict[str, Any]:
        folder = tmp_path / "build" / release
        folder.mkdir(parents=True, exist_ok=True)
        listed = {"system": {"id": "debian", "version": "13"}, "packages": list(packages)}
        (folder / "app.packages.json").write_text(json.dumps(listed))
        arguments = {
            "packages": str(folder / "app.packages.json"),
            "dest": str(folder / "app.cdx.json"),
            "folder": str(tmp_path / "build"),
            "app": app,
            "release": release,
            "channel": "main",
            "bucket": f"{app}-artifacts",
        }
        with patch_module_args({**arguments, **more}), pytest.raises(SystemExit):
            image_sbom.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


def publish(account: Account, app: str, release: str) -> None:
    account.client("ssm").put_parameter(
        Name=f"/immutable/{app}/channels/main", Value=release, Type="String", Overwrite=True
    )


def make_bucket(account: Account, app: str) -> None:
    where: Any = {"LocationConstraint": HOME}
    account.client("s3").create_bucket(Bucket=f"{app}-artifacts", CreateBucketConfiguration=where)


def test_a_first_release_has_nothing_to_compare_with(account: Account, bake: Bake) -> None:
    done = bake(account.app(), "r1", RAILS)
    assert (done["packages"], done["count"], done["uploaded"]) == (None, 1, "")


def test_it_is_compared_with_the_release_that_the_channel_names(account: Account, bake: Bake) -> None:
    app = account.app()
    bake(app, "r1", RAILS, CSV)
    bake(app, "r2", RAILS)
    publish(account, app, "r1")
    assert bake(app, "r3", NEWER)["packages"] == {
        "previous_release": "r1",
        "added": [],
        "changed": [{"type": "gem", "name": "rails", "from": "7.2.2", "to": "7.2.3"}],
        "removed": [CSV],
    }


def test_another_machine_finds_it_in_the_bucket(account: Account, bake: Bake, tmp_path: Path) -> None:
    app = account.app()
    make_bucket(account, app)
    assert bake(app, "r1", RAILS)["uploaded"] == f"s3://{app}-artifacts/sbom/r1/app.cdx.json"
    publish(account, app, "r1")
    elsewhere = tmp_path / "elsewhere"
    assert bake(app, "r2", RAILS, CSV, folder=str(elsewhere))["packages"]["added"] == [CSV]


def test_a_published_release_whose_packages_nobody_knows_is_no_error(account: Account, bake: Bake) -> None:
    app = account.app()
    make_bucket(account, app)
    publish(account, app, "r0")
    assert bake(app, "r1", RAILS)["packages"] is None


def test_a_list_that_is_none_is_said(account: Account, bake: Bake) -> None:
    done = bake(account.app(), "r1", {"name": "rails"})
    assert done["failed"] and "the SBOM of r1 could not be written: this is no list of packages" in done["msg"]


def test_without_the_library_it_says_what_to_install(
    account: Account, bake: Bake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_sbom, "HAS_CYCLONEDX", False)
    assert "pip install 'cyclonedx-python-lib>=11'" in bake(account.app(), "r1", RAILS)["msg"]
