# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this machine gets Debian from: the lab's servers use the same archive."""

from __future__ import annotations

import subprocess

from lab.settings import LabError

#: apt's names for the two parts of Debian's archive, see the Label field of its Release files.
_ARCHIVE, _SECURITY = "Debian", "Debian-Security"


def sources(suite: str) -> list[str]:
    """The lines of a sources.list for a Debian suite, from the archives that this machine's apt knows.

    Raises LabError where apt knows no Debian archive (or has not yet been updated).
    """
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise LabError(f"the lab's servers are Debian: apt-get can't say where to get it from ({error})") from error
    # Only what has an address of its own: a mirror list or a CD can't be read from inside a server.
    pairs = [line.split() for line in listed.splitlines() if " http" in line]
    found = {label: uri for label, uri, *_ in reversed(pairs)}
    if _ARCHIVE not in found:
        raise LabError("the lab's servers are Debian: this machine's apt knows no Debian archive; run apt-get update")
    lines = [f"deb {found[_ARCHIVE]} {suite} main", f"deb {found[_ARCHIVE]} {suite}-updates main"]
    if _SECURITY in found:
        lines.append(f"deb {found[_SECURITY]} {suite}-security main")
    return lines
