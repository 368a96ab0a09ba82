# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx builds the site; dev/docs puts the generated reference beside these pages first."""

from __future__ import annotations

project = "immutable.ec2"
copyright = "Contributors to the immutable.ec2 project"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# The reference names roles and modules of other collections, which are documented elsewhere.
suppress_warnings = ["ref.ref"]

html_theme = "furo"
html_title = "immutable.ec2"
html_theme_options = {"navigation_with_keys": True}
# One site in one folder that works from the disk: nothing is loaded from elsewhere.
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
