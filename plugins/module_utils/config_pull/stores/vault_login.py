# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a server shows Vault who it is: its AWS role, an AppRole, or a token that an agent left in a file.

API: https://developer.hashicorp.com/vault/api-docs/auth/aws and …/auth/approle.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..aws.client import FORM, Aws
from ..aws.sigv4 import Scope, signed
from ..declaration import Source
from ..errors import ConfigError, Exit, Retryable
from ..web import Host

STS_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"


class Login:
    """A token of Vault's, got when it is needed first and once more when it is refused.

    Args:
        get: logs in and returns a token.
        again: whether logging in again can give another one.
    """

    def __init__(self, namespace: str | None, get: Callable[[], str], again: bool) -> None:
        self._namespace, self._get, self._again = namespace, get, again
        self._token: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers of a request with the token."""
        if self._token is None:
            self._token = self._get()
        return {"X-Vault-Token": self._token, **in_namespace(self._namespace)}

    def renew(self) -> bool:
        """Whether another token may do where this one was refused; true once at most."""
        again, self._again, self._token = self._again, False, None
        return again


def in_namespace(namespace: str | None) -> dict[str, str]:
    """The header that names a namespace."""
    return {"X-Vault-Namespace": namespace} if namespace else {}


def login(aws: Aws, source: Source, host: Host) -> Login:
    """The login that the source declares; nothing is called yet."""
    namespace = source.text("namespace")
    if own := os.environ.get("VAULT_TOKEN"):
        # A person's, or a deployment's: who has logged in already is not asked to be a server.
        return Login(namespace, lambda: own, again=False)
    auth = source.text("auth") or "aws_iam"
    if auth == "token_file":
        return Login(namespace, lambda: _secret_file(source, "token_file"), again=False)
    mount = source.text("auth_mount") or {"aws_iam": "aws", "approle": "approle"}[auth]
    request = _aws_iam if auth == "aws_iam" else _approle

    def get() -> str:
        # Made anew for each try: a signature is good for some minutes only.
        made_at = aws.now()
        body = json.dumps(request(aws, source)).encode()
        answer = host.call("POST", f"/v1/auth/{mount}/login", in_namespace(namespace), body)
        if answer.status in (400, 403) and request is _aws_iam and aws.learn_time(answer, made_at):
            raise Retryable("login by aws_iam refused: this server's clock is wrong")
        if answer.status in (400, 403, 404):
            raise ConfigError(
                Exit.DENIED, f"{source}: login by {auth} denied (HTTP {answer.status}); see role and mount {mount}"
            )
        from .vault import checked

        token = (checked(source, answer).json().get("auth") or {}).get("client_token")
        if not isinstance(token, str):
            raise Retryable("a login without a token")
        return token

    return Login(namespace, get, again=True)


def _aws_iam(aws: Aws, source: Source) -> Mapping[str, object]:
    region = source.text("sts_region")
    # Without a region, the global service: it is what Vault asks unless it was told otherwise.
    name = f"sts.{region}.amazonaws.com" if region else "sts.amazonaws.com"
    server = source.text("server_id")
    headers = {"Content-Type": FORM, **({"X-Vault-AWS-IAM-Server-ID": server} if server else {})}
    scope = Scope(region or "us-east-1", "sts")
    sent = signed(aws.chain.get(), scope, name, headers, STS_BODY, aws.now())
    encoded = {
        "iam_request_url": f"https://{name}/".encode(),
        "iam_request_body": STS_BODY,
        "iam_request_headers": json.dumps({**sent, "Host": name, "Content-Length": str(len(STS_BODY))}).encode(),
    }
    role = {"role": source.text("role")} if source.text("role") else {}
    texts = {key: base64.b64encode(value).decode() for key, value in encoded.items()}
    return {"iam_http_request_method": "POST", **texts, **role}


def _approle(_aws: Aws, source: Source) -> Mapping[str, object]:
    return {"role_id": _secret_file(source, "role_id_file"), "secret_id": _secret_file(source, "secret_id_file")}


def _secret_file(source: Source, option: str) -> str:
    path = Path(str(source.text(option)))
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII"
        raise ConfigError(Exit.DENIED, f"{source}: {option} {path} can't be read: {reason}") from None
