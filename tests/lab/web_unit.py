# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web's unit as the role app_units installs it, for a program that a test brings along."""

from __future__ import annotations

import jinja2
import yaml

from lab.settings import CHECKOUT

ROLE = CHECKOUT / "roles" / "app_units"
PROGRAM = "/usr/lib/immutable/app"


def web_unit() -> str:
    """The unit's text; it starts ``PROGRAM``, an app without release commands."""
    loader = jinja2.FileSystemLoader(ROLE / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True, undefined=jinja2.StrictUndefined)
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    # What the role finds out by itself where an app is there.
    own = {"ansible_managed": "test", "app_units_web_command": PROGRAM, "app_units_release_commands": []}
    return environment.get_template("app-web.service.j2").render({**defaults, **own})
