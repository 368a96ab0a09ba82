# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names the app's configuration may set, and which values a process can be given."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

# They choose what code runs, or who the process is. A config store must not be a way into the server.
REFUSED = frozenset(
    {
        "APP",
        "BASH_ENV",
        "ENV",
        "HOME",
        "IFS",
        "LOGNAME",
        "NODE_OPTIONS",
        "NODE_PATH",
        "PATH",
        "PERL5LIB",
        "PERL5OPT",
        "RELEASE",
        "REVISION",
        "RUBYLIB",
        "RUBYOPT",
        "SHELL",
        "USER",
    }
)
# systemd's own are among them: they would tell a service who started it and where to report.
REFUSED_PREFIXES = (
    "BASH_FUNC_",
    "BUNDLE_",
    "BUNDLER_",
    "CREDENTIALS_",
    "DYLD_",
    "GEM_",
    "INVOCATION_",
    "JOURNAL_",
    "LD_",
    "LISTEN_",
    "NOTIFY_",
    "PYTHON",
    "WATCHDOG_",
)

# Linux refuses to start a process with a longer NAME=value (MAX_ARG_STRLEN, execve(2)); the zero at its end counts.
LONGEST_ASSIGNMENT = 131_072 - 1

# systemd gives a unit at most 1 MiB of credentials (systemd.exec(5)); their names count as well.
MOST_IN_FILES = 1_000_000


def name_problem(name: str) -> str | None:
    """Tell what is wrong with a variable's name, or return None."""
    if not NAME.match(name):
        return "is not a name for an environment variable (letters, digits and _, no digit first)"
    if name in REFUSED or name.startswith(REFUSED_PREFIXES):
        return "is refused: it would change how programs on the server are found or run"
    return None


def value_problem(name: str, value: bytes) -> str | None:
    """Tell what keeps a value from reaching the process as a variable, or return None. The value is not in the text.

    systemd drops an assignment that is not valid UTF-8 to it, and writes it to the journal (utf8_is_valid in its
    src/basic/utf8.c takes no surrogates and no noncharacters); no environment can hold a zero.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "is not text of UTF-8 (a surrogate, or binary); declare it with as: file"
    if "\0" in text:
        return "holds a zero byte; declare it with as: file"
    if any(_is_noncharacter(ord(character)) for character in text):
        return "holds a character that systemd refuses (a noncharacter)"
    if len(name) + 1 + len(value) > LONGEST_ASSIGNMENT:
        return f"is too long for an environment variable (at most {LONGEST_ASSIGNMENT} bytes with its name)"
    return None


def file_problem(files: Mapping[str, bytes]) -> str | None:
    """Tell what keeps files from reaching a service as credentials, or return None."""
    total = sum(map(len, files.values()))
    if total > MOST_IN_FILES:
        return f"{', '.join(sorted(files))} are too much for files: {total} bytes, at most {MOST_IN_FILES} together"
    return None


def _is_noncharacter(point: int) -> bool:
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
