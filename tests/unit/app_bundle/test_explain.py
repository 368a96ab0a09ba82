# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a bundle or its assets failed, in one line that says what to do."""

from __future__ import annotations

import pytest

from roles.app_bundle.files.explain import explain, hidden

NATIVE = """Gem::Ext::BuildError: ERROR: Failed to build gem native extension.
    current directory: /var/lib/gems/3.3.0/gems/{gem}/ext
{said}
An error occurred while installing {gem} (1.2.3), and Bundler cannot continue."""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (NATIVE.format(gem="pg", said="checking for libpq-fe.h... no"), "add the package libpq-dev"),
        (NATIVE.format(gem="own", said="own.c:1:10: fatal error: zstd.h: No such file"), "add the package libzstd-dev"),
        (NATIVE.format(gem="own", said="/usr/bin/ld: cannot find -lmysqlclient"), "default-libmysqlclient-dev"),
        (NATIVE.format(gem="own", said="zlib.h is missing"), "gem own 1.2.3 can't be compiled without zlib.h: add"),
        (NATIVE.format(gem="own", said="checking for rare.h... no"), "apt-file search rare.h"),
        ("Could not find gem 'pg' in locally installed gems.", "ruby-pg"),
        ("Could not find rack-2.2.20 in locally installed gems", "gem rack-2.2.20 is neither in vendor/cache"),
        ("Authentication is required for gems.example.com.", "app_bundle_index_credentials"),
        ("Bad username or password for https://gems.example.com/.", "app_bundle_index_credentials"),
        ("Could not fetch specs from https://gems.example.com/ due to underlying error", "can't be reached"),
        ("Your Ruby version is 3.1.2, but your Gemfile specified 3.3.1", "asks for Ruby 3.3.1, installed is 3.1.2"),
        ("Your bundle only supports platforms [] but your local platform is x86_64-linux-gnu. Add", "--add-platform"),
        (
            "The gemspecs for path gems changed, but the lockfile can't be updated because frozen mode is set",
            "bundle lock",
        ),
        (
            "No space left on device @ io_write\nAn error occurred while installing x (1)",
            "the disk of the builder is full",
        ),
        ('KeyError: key not found: "STRIPE_KEY"', "the variable STRIPE_KEY"),
        ("ExecJS::RuntimeUnavailable: Could not find a JavaScript runtime.", "nodejs"),
        ("sh: 1: yarn: not found", "assets need yarn"),
        ("rake aborted!\nNameError: undefined local variable or method `foo'\n/srv/app", "NameError: undefined local"),
        ("", "it said nothing"),
    ],
)
def test_the_cause_says_what_to_do(said: str, expected: str) -> None:
    explained = explain(said)
    assert expected in explained
    assert "\n" not in explained


def test_credentials_are_not_shown() -> None:
    assert hidden("https://me:s3cret@gems/ said no to s3cret", ["me:s3cret"]) == "https://***@gems/ said no to ***"
