# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ruby that was built from source, and the same from an archive."""

from __future__ import annotations

from testinfra.host import Host


def test_it_is_the_one_that_was_built(host: Host) -> None:
    assert host.check_output("command -v ruby") == "/usr/local/bin/ruby"
    assert host.check_output("ruby -e 'print RUBY_VERSION'").startswith("3.3.")
    assert not host.package("ruby").is_installed


def test_it_has_yjit_and_jemalloc_and_no_documentation(host: Host) -> None:
    assert "+YJIT" in host.check_output("ruby --yjit --version")
    assert "jemalloc" in host.check_output("ldd /usr/local/bin/ruby /usr/local/lib/libruby.so")
    assert not host.file("/usr/local/share/ri").exists


def test_bundler_and_its_extensions_run(host: Host) -> None:
    assert host.run("bundle --version").rc == 0
    host.check_output("ruby -ropenssl -rpsych -rzlib -rfiddle -e 'OpenSSL::Digest::SHA256.new'")


def test_what_it_was_built_with_is_noted_for_the_seal(host: Host) -> None:
    noted = host.file("/var/lib/immutable/build-packages")
    if host.backend.get_pytest_id().endswith("source"):
        assert {"build-essential", "rustc"} <= set(noted.content_string.split())
    else:
        assert not noted.exists
