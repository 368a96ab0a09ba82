# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an env's stores fit a release's declaration, and which versions its servers are to read."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.immutable.ec2.plugins.module_utils.config_pull import manifest
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.errors import ConfigError, Exit
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import merge
from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.stores.everything import read_everything
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.declared import unpacked
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.configuration.stores import DeploymentAws
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.releases import find_release
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Deployed, Pins

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.immutable.ec2.plugins.module_utils.aws.session import Clients
    from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.declaration import Declaration
    from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.merge import Configuration
    from ansible_collections.immutable.ec2.plugins.module_utils.config_pull.stores.content import Content
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.settings import Environment, Settings
    from ansible_collections.immutable.ec2.plugins.module_utils.deployment.wanted import Release

MANIFEST: t.Final = "ConfigManifest"
"""The parameter of the colour's template; who gives it by hand has chosen the versions, or with an empty one none."""

DIGEST_LENGTH: t.Final = 8


class MayNotRead(Refused):
    """Who runs this may not read the config stores. A look at the plan can do without."""


@dataclass(frozen=True)
class Looked:
    """A whole, valid configuration as the stores hold it now."""

    declaration: Declaration
    contents: tuple[Content, ...]
    configuration: Configuration


def look(clients: Clients, environment: Environment, release: Release) -> Looked:
    """Reads all sources of the release's declaration for an env, and checks what comes out.

    Raises:
        ConfigError: with every mistake, key and source and never a value.
        Refused: the image carries no declaration.
    """
    if not release.declaration:
        raise Refused(
            f"the image {release.image} of {release.name} carries no declaration in its tags: it was baked by an "
            "earlier version; bake it anew"
        )
    declaration = unpacked(release.declaration, release.name)
    sources = [source.filled(environment.app, environment.env) for source in declaration.sources]
    contents = read_everything(DeploymentAws(clients), sources, None)
    return Looked(declaration, tuple(contents), merge(declaration, contents))


def pin(clients: Clients, settings: Settings, wanted: Deployed, tell: Callable[[str], None]) -> Deployed:
    """What is wanted, with the versions that the stores hold now: the gate before anything is changed.

    Raises:
        MayNotRead: a store says no to who runs this.
        Refused: the stores don't hold what the declaration asks for.
        AwsError: the image can't be read.
    """
    release, environment = wanted.release, settings.environment
    if wanted.pins is not None or MANIFEST in settings.launch:
        return wanted
    if release.declaration is None:
        release = find_release(clients, environment.app, release.image)
    if release.declaration == "":
        tell(
            f"{environment.env} | {release.image} carries no declaration, so its servers read the newest configuration"
        )
        return wanted
    try:
        looked = look(clients, environment, release)
        pins = _pins(looked.contents)
    except ConfigError as error:
        again = f"nothing was changed. config_check.yml -e env={environment.env} looks at them again"
        kind = MayNotRead if error.code is Exit.DENIED else Refused
        raise kind(f"{refusal(environment, release, error)}; {again}") from error
    keys = len(looked.configuration.values) + len(looked.configuration.files)
    tell(f"{environment.env} | the config stores hold all that {release.name} declares: {keys} keys")
    return replace(wanted, pins=pins, identity=f"{settings.identity(release)}.{_digest(pins)}")


def refusal(environment: Environment, release: Release, error: ConfigError) -> str:
    """What is wrong, in one line: keys, sources and what was expected, never a value."""
    problems = "; ".join(error.problems)
    what = f"the config stores of {environment.env} can't give {release.name} its configuration"
    return f"{what}: {problems} [{error.code.word}]"


def _pins(contents: tuple[Content, ...]) -> Pins:
    secrets = [
        (content.source.name, content.versions[""])
        for content in contents
        if content.source.kind == "secrets_manager" and content.source.pinned and content.versions.get("")
    ]
    text = manifest.text({content.source.address: content.pin() for content in contents})
    return Pins(text, tuple(dict.fromkeys(secrets)))


def _digest(pins: Pins) -> str:
    return hashlib.sha256(pins.manifest.encode()).hexdigest()[:DIGEST_LENGTH]
