# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image's packages ↔ a CycloneDX SBOM (https://cyclonedx.org/docs/1.6/json/), by cyclonedx-python-lib."""

from __future__ import annotations

import json
import typing as t
import uuid

try:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    HAS_CYCLONEDX = True
except ImportError:
    HAS_CYCLONEDX = False

from ansible_collections.immutable.ec2.plugins.module_utils.baking.packages import KINDS, Contents, Package

if t.TYPE_CHECKING:
    from datetime import datetime

MISSING: t.Final = (
    "the SBOM needs the Python package cyclonedx-python-lib beside Ansible: pip install 'cyclonedx-python-lib>=11'"
)


def to_sbom(contents: Contents, app: str, stage: str, release: str, at: datetime) -> str:
    """The SBOM as JSON text.

    Args:
        contents: the image's packages.
        app, stage, release: the image.
        at: when it was baked.
    """
    name = f"{app}-{stage}"
    image = Component(
        name=name,
        version=release,
        type=ComponentType.APPLICATION if stage == "app" else ComponentType.OPERATING_SYSTEM,
        bom_ref=f"{name}@{release}",
    )
    licences = LicenseFactory()
    components = [_component(package, contents, licences) for package in contents.packages]
    # The same image has the same serial number, whoever writes its SBOM, and when.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"immutable.ec2/{name}/{release}")
    bom = Bom(serial_number=serial, metadata=BomMetaData(component=image, timestamp=at), components=components)
    bom.register_dependency(image, components)
    return str(JsonV1Dot6(bom).output_as_string(indent=1))


def _component(package: Package, contents: Contents, licences: t.Any) -> t.Any:
    purl = _purl(package, contents)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY if package.kind == "gem" else ComponentType.APPLICATION,
        licenses=[licences.make_from_string(licence) for licence in package.licences[:1]],
        purl=purl,
        bom_ref=purl.to_string(),
    )


def _purl(package: Package, contents: Contents) -> t.Any:
    """https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst"""
    if package.kind != "deb":
        return PackageURL({"gem": "gem", "ruby": "generic"}[package.kind], None, package.name, package.version)
    distro = f"{contents.distribution}-{contents.distribution_version}"
    qualifiers = {"arch": package.architecture, "distro": distro} if package.architecture else {"distro": distro}
    return PackageURL("deb", contents.distribution, package.name, package.version, qualifiers)


def read_sbom(text: str | bytes) -> list[Package]:
    """The packages of an SBOM that `to_sbom` wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        purls = [PackageURL.from_string(component["purl"]) for component in json.loads(text)["components"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no SBOM of an image: {error!r}") from error
    kinds = {"deb": "deb", "gem": "gem", "generic": "ruby"}
    found = [Package(kinds.get(purl.type, ""), purl.name, purl.version or "") for purl in purls]
    return [package for package in found if package.kind in KINDS]
