# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of a declaration: which options each kind takes, and whether such a source can exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..names import name_problem
from .model import IN_BRACES, KINDS, PLACES, Source, SourceKind

Check = Callable[[object], bool]

# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
PARAMETER = re.compile(r"/[A-Za-z0-9_.\-/{}]{1,1010}\Z")
MOST_LEVELS = 15
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html; an ARN is a name as well.
SECRET = re.compile(r"[A-Za-z0-9/_+=.@:{}-]{1,512}\Z")
VAULT = re.compile(r"[^/\s][^\s]*/[^\s]*[^/\s]\Z")


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _variable(value: object) -> bool:
    return isinstance(value, str) and name_problem(value) is None


def _url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)


def _file(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/")


ALL: Mapping[str, tuple[Check, str]] = {
    "optional": (_flag, "true or false"),
    "pin": (_flag, "true or false"),
}
OPTIONS: Mapping[SourceKind, Mapping[str, tuple[Check, str]]] = {
    "parameter_store": {
        **ALL,
        "recursive": (_flag, "true or false"),
        "label": (_text, "a label"),
        "version": (_version, "a version's number"),
        "key": (_variable, "the name of a variable"),
    },
    "secrets_manager": {
        **ALL,
        "stage": (_text, "a staging label"),
        "version": (_text, "a version's id"),
        "key": (_variable, "the name of a variable"),
    },
    "vault": {
        **ALL,
        "address": (_url, "a URL"),
        "namespace": (_text, "a namespace"),
        "mount": (_text, "the mount of the secrets engine"),
        "engine": (lambda value: value in (1, 2) and not isinstance(value, bool), "1 or 2"),
        "version": (_version, "a version's number"),
        "auth": (lambda value: value in ("aws_iam", "approle", "token_file"), "aws_iam, approle or token_file"),
        "auth_mount": (_text, "the mount of the auth method"),
        "role": (_text, "a role of the auth method"),
        "role_id_file": (_file, "the path of a file"),
        "secret_id_file": (_file, "the path of a file"),
        "token_file": (_file, "the path of a file"),
        "server_id": (_text, "what the auth method's iam_server_id_header_value says"),
        "sts_region": (_text, "a region"),
        "ca_file": (_file, "the path of a file"),
    },
}
NEEDED_BY_AUTH = {"aws_iam": ("role",), "approle": ("role_id_file", "secret_id_file"), "token_file": ("token_file",)}


def read_sources(content: Any) -> Iterator[Source | str]:
    """Sources, and a sentence for each mistake."""
    if not isinstance(content, list) or not content:
        yield "sources must be a list of at least one source"
        return
    for number, entry in enumerate(content, 1):
        kinds = [kind for kind in KINDS if kind in entry] if isinstance(entry, Mapping) else []
        if len(kinds) != 1:
            yield f"source {number} must have exactly one of {', '.join(KINDS)}"
            continue
        kind, options = kinds[0], {option: value for option, value in entry.items() if option not in KINDS}
        problems = [*_name(kind, entry[kind], options), *_options(kind, options)]
        yield from (f"source {number} ({kind}) {problem}" for problem in problems)
        if not problems:
            yield Source(kind, entry[kind], options)


def _name(kind: SourceKind, name: object, options: Mapping[str, object]) -> Iterator[str]:
    if not isinstance(name, str) or not name:
        yield "must name a place, as a string"
        return
    if unknown := _unknown_places(name):
        yield f"may use {{app}} and {{env}}, not {', '.join(unknown)}"
    elif kind == "parameter_store" and not name.startswith("/"):
        yield "must be a path that begins with a slash"
    elif kind == "parameter_store" and (not PARAMETER.match(name) or "//" in name or name.count("/") > MOST_LEVELS):
        yield f"can't exist: a path has letters, digits and . - _ between slashes, and at most {MOST_LEVELS} levels"
    elif kind == "secrets_manager" and not SECRET.match(name):
        yield "can't exist: a secret's name has letters, digits and / _ + = . @ - only, at most 512"
    elif kind == "vault" and ("mount" not in options and not VAULT.match(name)):
        yield "must name a mount and a path in it, as in kv/{app}/{env}"


def _options(kind: SourceKind, options: Mapping[str, object]) -> Iterator[str]:
    known = OPTIONS[kind]
    for option, value in options.items():
        if option not in known:
            yield f"has no option {option!r}; there are {', '.join(known)}"
        elif not known[option][0](value):
            yield f"{option} must be {known[option][1]}"
        elif isinstance(value, str) and (unknown := _unknown_places(value)):
            yield f"{option} may use {{app}} and {{env}}, not {', '.join(unknown)}"
    if "version" in options and ("label" in options or "stage" in options):
        yield "can have a version or a label, not both"
    if kind == "parameter_store" and "version" in options and "key" not in options:
        yield "version is of one parameter: say with key which variable it becomes"
    if kind == "parameter_store" and "recursive" in options and "key" in options:
        yield "recursive is of a path, key of one parameter"
    if kind == "vault":
        auth = str(options.get("auth", "aws_iam"))
        missing = [option for option in NEEDED_BY_AUTH.get(auth, ()) if option != "role" and option not in options]
        if missing:
            yield f"auth {auth} needs {' and '.join(missing)}"
        if options.get("engine") == 1 and "version" in options:
            yield "version is of engine 2: KV version 1 keeps none"


def _unknown_places(text: str) -> list[str]:
    return sorted(set(IN_BRACES.findall(text)) - set(PLACES))
