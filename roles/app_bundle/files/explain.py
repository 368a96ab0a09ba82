# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says in one line why Bundler or a rake task failed, and what to do.

Reads ``{"said": <output>, "secrets": [<values that may not be shown>]}`` as JSON from standard input. Runs on the
controller.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

#: The package that has a header or library, by the name that compilers and extconf.rb ask for.
PACKAGES = {
    "FreeImage.h": "libfreeimage-dev",
    "MagickWand.h": "libmagickwand-dev",
    "MagickCore": "libmagickwand-dev",
    "curl/curl.h": "libcurl4-openssl-dev",
    "cmake": "cmake",
    "ffi.h": "libffi-dev",
    "geos_c.h": "libgeos-dev",
    "gpgme.h": "libgpgme-dev",
    "idna.h": "libidn-dev",
    "ldap.h": "libldap-dev",
    "libpq-fe.h": "libpq-dev",
    "libxml/parser.h": "libxml2-dev",
    "libxml2": "libxml2-dev",
    "libxslt/xslt.h": "libxslt1-dev",
    "lzma.h": "liblzma-dev",
    "magic.h": "libmagic-dev",
    "mysql.h": "default-libmysqlclient-dev",
    "mysqlclient": "default-libmysqlclient-dev",
    "ncurses.h": "libncurses-dev",
    "openssl/ssl.h": "libssl-dev",
    "pq": "libpq-dev",
    "proj.h": "libproj-dev",
    "readline/readline.h": "libreadline-dev",
    "ruby.h": "ruby-dev",
    "snappy.h": "libsnappy-dev",
    "sodium.h": "libsodium-dev",
    "sqlite3.h": "libsqlite3-dev",
    "sybdb.h": "freetds-dev",
    "systemd/sd-daemon.h": "libsystemd-dev",
    "unicode/ucnv.h": "libicu-dev",
    "uuid/uuid.h": "uuid-dev",
    "vips/vips.h": "libvips-dev",
    "webp/decode.h": "libwebp-dev",
    "yaml.h": "libyaml-dev",
    "zlib.h": "zlib1g-dev",
    "zstd.h": "libzstd-dev",
}
#: How a missing header, library or program is told; the first group is its name.
MISSING = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"fatal error: (\S+?): No such file",
        r"cannot find -l(\w+)",
        r"missing (?:required )?(?:header )?\W?(\S+\.h)\b",
        r"(\S+\.h) (?:is missing|not found)",
        r"checking for (\S+\.h)\.\.\. no",
        r"Package '?(\w+)'?,? (?:required by .* |was )not found",
        r"find header files for (ruby)",
        r"checking for (?:whether )?-?l?(\w+)(?: in -l\w+)?\.\.\. no",
        r"(cmake|make|gcc|cc): (?:command )?not found",
        r"No such file or directory - (\w+)",
    )
)
#: What was said → what it means and what to do; groups are filled in. The first that is found wins.
CAUSES = (
    (r"No space left on device", "the disk of the builder is full: give it a larger one, or bake less into the image"),
    (
        r"Could not find gem '([\w.-]+)[^']*' in locally installed gems",
        "gem {0} is neither in vendor/cache nor among the distribution's: run `bundle cache`, or add its package (ruby-{0}?) to app_bundle_packages",
    ),
    (
        r"Could not find ([\w.-]+-\d[\w.]*).* in (?:locally installed gems|cached gems)",
        "gem {0} is neither in vendor/cache nor among the distribution's in this version: run `bundle cache`, or lock with the server's own packages",
    ),
    (
        r"(?:Bad username or password for|Authentication is required for|Access token could not be authenticated for) (\S+)",
        "the index {0} wants credentials, or others: give them in app_bundle_index_credentials",
    ),
    (
        r"Your bundle only supports platforms.* but your local platform is (\S+?)\.",
        "Gemfile.lock knows no platform for servers: run `bundle lock --add-platform x86_64-linux`",
    ),
    (r"Your Ruby version is (\S+), but your Gemfile specified (.+)", "the Gemfile asks for Ruby {1}, installed is {0}: see the role ruby"),
    (
        r"(?:in|to) (?:your )?Gemfile.*(?:changed|frozen)|frozen mode|lockfile (?:is|was) (?:out of date|missing)|frozen",
        "Gemfile.lock does not fit the Gemfile: run `bundle lock` and bake again",
    ),
    (
        r"Could not (?:fetch specs from|reach host|find a working) ?(\S*)|Network error while fetching (\S+)",
        "the index {0} can't be reached from the builder: has its network a way there? Gems can also lie in vendor/cache (`bundle cache`)",
    ),
    (
        r"Missing encryption key to decrypt file with",
        "the app wants its master key while assets are precompiled, and no secret is there: leave `require_master_key` out during SECRET_KEY_BASE_DUMMY",
    ),
    (r"key not found: \"(\w+)\"", "the app wants the variable {0} while it is loaded: give it some value in app_bundle_precompile_env"),
    (
        r"Could not find a JavaScript runtime",
        "assets need a JavaScript runtime: add nodejs to app_bundle_packages",
    ),
    (r"(yarn|node|npm|bun)(?:: command)?(?:: not found|.*No such file)", "assets need {0}: add its package to app_bundle_packages"),
    (
        r"ConnectionNotEstablished|could not connect to server|connection to server .* failed",
        "the app asks its database while assets are precompiled, and there is none: load nothing from it in initializers",
    ),
)
GEM = re.compile(r"An error occurred while installing ([\w.-]+) \(([^)]+)\)")


def explain(said: str) -> str:
    """Return the cause in one line, with what to do where it is known."""
    if "No space left on device" not in said and (gem := GEM.search(said)) and "extension" in said:
        return _native(said, *gem.groups())
    for pattern, meaning in CAUSES:
        if found := re.search(pattern, said):
            groups = [group or "" for group in found.groups()]
            return f"{meaning.format(*groups)} ({_line(said, found.start())})"
    return _end(said)


def _native(said: str, gem: str, version: str) -> str:
    """Why a gem could not be compiled: what is missing, and the package that has it."""
    known = [name for pattern in MISSING for name in pattern.findall(said)]
    for name in known:
        if package := PACKAGES.get(name):
            return f"gem {gem} {version} can't be compiled without {name}: add the package {package} to app_bundle_build_packages"
    if headers := [name for name in known if name.endswith(".h")]:
        return (
            f"gem {gem} {version} can't be compiled without {headers[0]}: find its package (apt-file search {headers[0]}) "
            "and add it to app_bundle_build_packages"
        )
    return f"gem {gem} {version} can't be compiled; what it needs goes to app_bundle_build_packages: {_end(said)}"


def _line(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return " ".join(text[start:].split("\n", 1)[0].split())[:300]


def _end(said: str) -> str:
    """The line that names the error, else the last ones."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    named = [line for line in lines if re.search(r"Error\b|error:|aborted|rake aborted", line) and "rake aborted!" not in line]
    return " | ".join(named[:2] or lines[-3:])[:600] or "it said nothing"


def hidden(text: str, secrets: Sequence[str]) -> str:
    """Return the text without the secrets, and without the parts of ``user:password``."""
    parts = {part for secret in secrets for part in (secret, *secret.split(":", 1)[1:]) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def main() -> None:
    """Print the cause."""
    given = json.load(sys.stdin)
    print(hidden(explain(given["said"]), given["secrets"]))


if __name__ == "__main__":
    main()
