# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all sources at once, each store by the fewest calls, and waits no longer than the deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from ..aws.client import Aws
from ..declaration import Source
from ..errors import ConfigError, Exit, together
from ..manifest import Manifest
from . import parameter_store, secrets_manager, vault
from .content import Content
from .vault_login import Login

Job = Callable[[], Sequence[Content]]


def read_everything(aws: Aws, sources: Sequence[Source], manifest: Manifest | None) -> list[Content]:
    """The contents of all sources, in their order.

    Args:
        sources: with app and environment filled in.
        manifest: the versions that this server's colour reads, or None for the newest.

    Raises:
        ConfigError: with the problems of all sources.
    """
    contents: dict[Source, Content] = {}
    if manifest is not None:
        sources = [manifest.pinned(source) for source in sources]
        contents = {source: Content(source, {}, missing=True) for source in sources if manifest.absent(source)}
    jobs = _jobs(aws, [source for source in dict.fromkeys(sources) if source not in contents], manifest)
    done: list[Sequence[Content] | Exception | None] = [None] * len(jobs)

    def work(number: int) -> None:
        try:
            done[number] = jobs[number][1]()
        except Exception as error:  # told by the thread that waits
            done[number] = error

    # Daemons: one that a store holds beyond the deadline must not hold the process.
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(1, len(jobs))]
    for thread in threads:
        thread.start()
    if jobs:
        work(0)
    for thread in threads:
        thread.join(aws.deadline.left())
    errors: list[ConfigError] = []
    for (what, _job), result in zip(jobs, done, strict=True):
        if result is None:
            seconds = f"{aws.deadline.seconds:.0f} s"
            errors.append(ConfigError(Exit.UNAVAILABLE, f"{what}: no whole answer within {seconds}"))
        elif isinstance(result, ConfigError):
            errors.append(result)
        elif isinstance(result, Exception):
            raise result
        else:
            contents.update((content.source, content) for content in result)
    if errors:
        raise together(errors)
    return [contents[source] for source in sources]


def _jobs(aws: Aws, sources: Sequence[Source], manifest: Manifest | None) -> list[tuple[str, Job]]:
    """What can be read side by side, with words for each. Vault's sources are one job: they share logins."""
    jobs: list[tuple[str, Job]] = []
    named: dict[str, tuple[Source, ...]] = {}
    by_name: list[Source] = []
    batched: list[Source] = []
    in_vault: list[Source] = []
    for source in sources:
        if source.kind == "vault":
            in_vault.append(source)
        elif source.kind == "secrets_manager":
            if source.text("version") or source.text("stage"):
                jobs.append((str(source), partial(_one, secrets_manager.read_one, aws, source)))
            else:
                batched.append(source)
        elif (wanted := names(source, manifest)) is None:
            jobs.append((str(source), partial(_one, parameter_store.read_path, aws, source)))
        else:
            by_name.append(source)
            for name in wanted:
                named[name] = (*named.get(name, ()), source)
    if by_name:
        jobs.append((_all(by_name), partial(parameter_store.read_names, aws, by_name, named)))
    for start in range(0, len(batched), secrets_manager.A_CALL):
        part = batched[start : start + secrets_manager.A_CALL]
        read = partial(secrets_manager.read_many, aws, part)
        jobs.append((_all(part), read if len(part) > 1 else partial(_one, secrets_manager.read_one, aws, part[0])))
    if in_vault:
        jobs.append((_all(in_vault), partial(_vault, aws, in_vault)))
    return jobs


def names(source: Source, manifest: Manifest | None) -> list[str] | None:
    """The parameters of a source where they are known, as GetParameters takes them; None for all under its path."""
    pins = manifest.parameters(source) if manifest else None
    if pins is not None:
        return [f"{name}:{version}" for name, version in sorted(pins.items())]
    if "key" not in source.options:
        return None
    selector = source.text("version") or source.text("label")
    return [source.name + (f":{selector}" if selector else "")]


def _one(read: Callable[[Aws, Source], Content], aws: Aws, source: Source) -> list[Content]:
    return [read(aws, source)]


def _vault(aws: Aws, sources: Sequence[Source]) -> list[Content]:
    logins: dict[tuple[object, ...], Login] = {}
    contents: list[Content] = []
    errors: list[ConfigError] = []
    for source in sources:
        try:
            contents.append(vault.read(aws, source, logins))
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return contents


def _all(sources: Sequence[Source]) -> str:
    return ", ".join(map(str, sources))
