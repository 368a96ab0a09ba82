# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vault's KV secrets engine, version 1 and 2.

API: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 and …/kv-v1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import quote

from ..aws.client import Aws
from ..declaration import Source
from ..errors import ConfigError, Exit, Retryable
from ..web import Answer, Host
from .content import Content
from .vault_login import Login, login


def read(aws: Aws, source: Source, tokens: dict[tuple[object, ...], Login]) -> Content:
    """One secret of a KV engine: its keys become variables.

    Args:
        tokens: logins of this run, so that sources of the same role log in once. For one thread.

    Raises:
        ConfigError: denied, not there, or not to be had until the deadline.
    """
    address = source.text("address") or os.environ.get("VAULT_ADDR")
    if not address:
        raise ConfigError(Exit.DECLARATION, f"{source}: says no address of Vault, and VAULT_ADDR is not set")
    host = Host(address, aws.deadline, ca_file=source.text("ca_file") or os.environ.get("VAULT_CACERT") or None)
    key = (address, *(source.options.get(name) for name in ("namespace", "auth", "auth_mount", "role", "token_file")))
    access = tokens.setdefault(key, login(aws, source, host))

    def once() -> Answer:
        answer = host.call("GET", _path(source), {**access.headers(), "X-Vault-Request": "true"})
        if answer.status == 403 and access.renew():
            raise Retryable("the token was refused")
        return checked(source, answer)

    try:
        answer = aws.deadline.retry(str(source), once)
        return _content(source, answer.json())
    except Retryable as error:
        raise ConfigError(Exit.UNAVAILABLE, f"{source}: {error}") from None
    except ConfigError as error:
        if source.optional and error.code is Exit.NOT_FOUND:
            return Content(source, {}, missing=True)
        raise


def checked(source: Source, answer: Answer) -> Answer:
    """The answer, if it is one.

    Raises:
        Retryable: sealed, standing by, overloaded.
        ConfigError: denied, not there, refused.
    """
    status = answer.status
    if status == 200:
        answer.json()
        return answer
    if status == 503 and b"sealed" in answer.body.lower():
        raise Retryable("Vault is sealed; somebody must unseal it")
    if status >= 500 or status in (412, 429, 472, 473):
        raise Retryable(f"HTTP {status}")
    if status == 403:
        raise ConfigError(Exit.DENIED, f"{source}: denied; the policies of its role need read on this path")
    if status == 404:
        engine = source.options.get("engine", 2)
        raise ConfigError(Exit.NOT_FOUND, f"{source}: there is no such entry in a KV engine of version {engine}")
    raise ConfigError(Exit.UNAVAILABLE, f"{source}: refused (HTTP {status})")


def _path(source: Source) -> str:
    mount = source.text("mount")
    mount, path = (mount.strip("/"), source.name.strip("/")) if mount else source.name.split("/", 1)
    if source.options.get("engine", 2) == 1:
        return f"/v1/{quote(mount)}/{quote(path)}"
    version = source.options.get("version")
    return f"/v1/{quote(mount)}/data/{quote(path)}" + (f"?version={version}" if version else "")


def _content(source: Source, answer: Mapping[str, object]) -> Content:
    data = answer.get("data")
    if source.options.get("engine", 2) == 1:
        values, version = data, ""
    else:
        outer = data if isinstance(data, dict) else {}
        values, version = outer.get("data"), str((outer.get("metadata") or {}).get("version", ""))
    if not isinstance(values, dict):
        raise ConfigError(Exit.UNAVAILABLE, f"{source}: an answer without data; is the engine's version right?")
    return Content(source, values, {"": version} if version else {})
