# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the variables with which every AWS client talks to the lab, as one line for the shell."""

from __future__ import annotations

from lab.settings import ACCESS_KEY, REGION, SECRET_KEY, Settings


def variables(settings: Settings) -> dict[str, str]:
    """The environment of a client of this lab."""
    return {
        "AWS_ENDPOINT_URL": settings.api_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run(settings: Settings) -> None:
    """Print the line."""
    print("export", *(f"{name}={value}" for name, value in variables(settings).items()))
