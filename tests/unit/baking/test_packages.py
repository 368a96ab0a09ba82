# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image holds, as an SBOM, and how two images differ."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ansible_collections.immutable.ec2.plugins.module_utils.baking.packages import (
    Contents,
    Package,
    difference,
    read_contents,
)
from ansible_collections.immutable.ec2.plugins.module_utils.baking.sbom import read_sbom, to_sbom

AT = datetime(2026, 1, 2, tzinfo=UTC)
SSL = Package("deb", "libssl3t64", "3.5.4-1~deb13u1", "amd64")
RAILS = Package("gem", "rails", "7.2.2", licences=("MIT",))
RUBY = Package("ruby", "ruby", "3.3.8p144")
ODD = Package("gem", "odd", "1", licences=("Ruby or GPL, as you like",))
CONTENTS = Contents("debian", "13", (SSL, RAILS, ODD, RUBY))


def test_the_sbom_is_valid_and_holds_every_package() -> None:
    text = to_sbom(CONTENTS, "shop", "app", "r2", AT)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    purls = {component["purl"] for component in json.loads(text)["components"]}
    assert purls == {
        "pkg:deb/debian/libssl3t64@3.5.4-1~deb13u1?arch=amd64&distro=debian-13",
        "pkg:gem/rails@7.2.2",
        "pkg:gem/odd@1",
        "pkg:generic/ruby@3.3.8p144",
    }


def test_the_sbom_names_the_image_and_is_the_same_each_time() -> None:
    text = to_sbom(CONTENTS, "shop", "app", "r2", AT)
    image = json.loads(text)["metadata"]["component"]
    assert (image["name"], image["version"]) == ("shop-app", "r2")
    assert json.loads(text)["serialNumber"] == json.loads(to_sbom(CONTENTS, "shop", "app", "r2", AT))["serialNumber"]
    assert json.loads(text)["serialNumber"] != json.loads(to_sbom(CONTENTS, "shop", "app", "r3", AT))["serialNumber"]


def test_an_sbom_gives_back_its_packages() -> None:
    found = read_sbom(to_sbom(CONTENTS, "shop", "app", "r2", AT))
    assert {(one.kind, one.name, one.version) for one in found} == {
        (one.kind, one.name, one.version) for one in CONTENTS.packages
    }


DIFFERENCES: dict[str, tuple[list[Package], list[Package], list[str], list[str], list[str]]] = {
    "nothing": ([SSL], [SSL], [], [], []),
    "a new one": ([SSL], [SSL, RAILS], ["rails"], [], []),
    "one less": ([SSL, RAILS], [SSL], [], [], ["rails"]),
    "an update": ([SSL], [Package("deb", "libssl3t64", "3.5.4-1~deb13u2")], [], ["libssl3t64"], []),
    "one more version": ([RAILS], [RAILS, Package("gem", "rails", "8.0.0")], [], ["rails"], []),
    "the same name of another kind": ([RAILS], [Package("deb", "rails", "7.2.2")], ["rails"], [], ["rails"]),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_an_update_did(name: str) -> None:
    before, after, added, changed, removed = DIFFERENCES[name]
    found = difference(before, after)
    assert [one.name for one in found.added] == added
    assert [one[1] for one in found.changed] == changed
    assert [one.name for one in found.removed] == removed


def test_a_change_says_from_what_to_what() -> None:
    found = difference([SSL], [Package("deb", "libssl3t64", "3.5.4-1~deb13u2")])
    assert found.changed == (("deb", "libssl3t64", "3.5.4-1~deb13u1", "3.5.4-1~deb13u2"),)


def test_the_roles_list_is_read() -> None:
    listed = {
        "system": {"id": "debian", "version": "13"},
        "packages": [{"type": "gem", "name": "rails", "version": "7.2.2", "licences": ["MIT"]}],
    }
    assert read_contents(listed) == Contents("debian", "13", (RAILS,))


@pytest.mark.parametrize("wrong", [{}, {"system": {}, "packages": [{"name": "rails"}]}, {"system": {}, "packages": 1}])
def test_another_file_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no list of packages"):
        read_contents(wrong)


@pytest.mark.parametrize("wrong", ["{}", '{"components": [{}]}', "no json", '{"components": [{"purl": "x"}]}'])
def test_a_file_that_is_no_sbom_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"SBOM|JSON|Expecting|purl"):
        read_sbom(wrong)
