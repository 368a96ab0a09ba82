# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images themselves: nothing of the builder is left in them, and no secret (promise 8)."""

from __future__ import annotations

from tests.image.servers import Image


def test_who_the_server_is_is_not_in_the_image(image: Image) -> None:
    assert image.found("etc/ssh/ssh_host_*", "var/lib/systemd/random-seed") == []
    assert (image.root / "etc/machine-id").read_text() == ""


def test_nobody_who_baked_it_can_log_in(image: Image) -> None:
    assert image.found("root/.ssh/authorized_keys*", "home/*/.ssh/authorized_keys*") == []


def test_the_bake_left_no_traces(image: Image) -> None:
    assert image.found("root/.ansible", "home/*/.ansible", "home/*/.*_history", "tmp/*", "var/lib/cloud/*") == []
    assert image.found("var/lib/apt/lists/*_*", "var/cache/apt/archives/*.deb", "var/log/journal/*") == []
    assert [path for path in image.found("var/log/**/*.log") if (image.root / path).stat().st_size] == []


def test_no_secret_of_any_environment_is_in_the_image(image: Image) -> None:
    assert image.files_with_secrets() == []
