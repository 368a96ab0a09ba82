# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Envs of the tests' own beside those of the ops repo, in the lab that all tests share, and releases that are bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lab.demo import configuration
from lab.demo.scenario import ENVS
from tests import octets
from tests.lab.deployments.background import Analysed, Overtaken
from tests.lab.deployments.env import ALL_ENVS, Env
from tests.lab.deployments.releases import KINDS, Releases
from tests.lab.shop import APP, Shop, baked


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """In a lab of these tests' own: they make releases that are bad."""
    with baked(octets.DEPLOYMENTS, "deployments") as found:
        yield found


@pytest.fixture(scope="session")
def releases(shop: Shop) -> Iterator[Releases]:
    """The images ``r-good``, ``r-errors`` and so on; afterwards only the baked ones are left."""
    made = Releases(shop)
    made.make(*KINDS)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def envs(shop: Shop, releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Env]]:
    """All envs with their edges; the first release serves in each. Afterwards they are gone."""
    folder = tmp_path_factory.mktemp("envs")
    made = {name: Env(shop, folder, name) for name in ALL_ENVS}
    configuration.ensure(shop.settings, shop.cloud, APP, (*ENVS, *ALL_ENVS))
    for controller in [env.make() for env in made.values()]:
        ended = controller.end()
        assert ended.code == 0, ended.said
    first = [env.start("deploy", image=shop.first) for env in made.values()]
    for controller in first:
        ended = controller.end()
        assert ended.result == "deployed", ended.said
    # The functions of all guards start, which hear of every alarm: several at once take this machine some seconds.
    made["slow"].ring()
    made["slow"].hush()
    yield made
    for parts in (("blue", "green"), ("edge",)):
        for env in made.values():
            env.delete(*parts)
        for env in made.values():
            env.gone(*parts)


@pytest.fixture(scope="session")
def analysed(envs: dict[str, Env]) -> dict[str, Analysed]:
    """Begun once, by whoever asks first."""
    cases = {name: Analysed(envs[name]) for name in ("errors", "slow")}
    for name, case in cases.items():
        case.begin(f"r-{name}")
    return cases


@pytest.fixture(scope="session")
def overtaken(shop: Shop, envs: dict[str, Env]) -> Overtaken:
    """Begun once, by whoever asks first."""
    return Overtaken.begin(envs["pairs"], shop.second)


@pytest.fixture
def measured(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Prints a figure and puts it into the report."""

    def measure(what: str, figure: float, unit: str) -> None:
        record_property(what, figure)
        with capsys.disabled():
            print(f"\nmeasured: {what}: {figure:.2f} {unit}", flush=True)

    return measure
