# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's tests, run as for a server: what passed is counted, what failed is said, and none is no success."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation import checks
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.validation.ssh import Ssh

GOOD = "def test_good():\n    assert True\n"
BAD = "def test_bad():\n    assert False, 'it is red'\n"
SKIPPED = "import pytest\n\ndef test_skipped():\n    pytest.skip('no')\n"
BROKEN = "import no_such_module\n"
FACT = "import os\n\ndef test_fact():\n    assert os.environ['IMMUTABLE_APP_STARTED'] == 'no'\n"
OWN = "import os\n\ndef test_own():\n    assert not [one for one in os.environ if one.startswith('AWS_')]\n"


@pytest.fixture
def ssh(tmp_path: Path) -> Ssh:
    folder = tmp_path / "login"
    folder.mkdir()
    return Ssh("127.0.0.1", "nobody", folder)


def run(ssh: Ssh, tmp_path: Path, *files: str, seconds: float = 60) -> int:
    for number, text in enumerate(files):
        (tmp_path / f"test_{number}.py").write_text(text)
    return checks.run_tests(ssh, (str(tmp_path),), {"IMMUTABLE_APP_STARTED": "no"}, seconds)


def test_what_passed_is_counted_and_what_is_skipped_is_not(ssh: Ssh, tmp_path: Path) -> None:
    assert run(ssh, tmp_path, GOOD, SKIPPED, FACT) == 2


def test_the_tests_see_no_credentials(ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert run(ssh, tmp_path, OWN) == 1


def test_what_failed_is_said_in_one_line(ssh: Ssh, tmp_path: Path) -> None:
    with pytest.raises(
        ValidationFailed, match=r"1 of 2 tests of the image failed: test_bad \(AssertionError: it is red"
    ):
        run(ssh, tmp_path, GOOD, BAD)


@pytest.mark.parametrize("text", [SKIPPED, ""], ids=["all are skipped", "there is none"])
def test_no_test_is_no_success(ssh: Ssh, tmp_path: Path, text: str) -> None:
    with pytest.raises(ValidationFailed, match="no test of the image could be run"):
        run(ssh, tmp_path, text)


def test_a_file_that_can_not_be_read_is_a_failure(ssh: Ssh, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="failed"):
        run(ssh, tmp_path, GOOD, BROKEN)


def test_tests_that_do_not_end_are_ended(ssh: Ssh, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="did not end within"):
        run(ssh, tmp_path, "import time\n\ndef test_long():\n    time.sleep(600)\n", seconds=3)


def test_a_missing_runner_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "NEEDED", {"no_such_module": "pytest-testinfra"})
    with pytest.raises(PublishError, match="pip install pytest-testinfra, or give no tests"):
        checks.require_runner()
