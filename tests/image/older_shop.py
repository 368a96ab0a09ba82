# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example app as it would be on Debian 12: Rails 6.1 with Sprockets."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.demo.releases import SHOP

#: The same role variables as for Debian 13, with the names that Debian 12's packages have.
ROLE_VARS = """---
app_bundle_packages: [puma, ruby-bootsnap, ruby-pg, ruby-rails, ruby-redis, ruby-sidekiq, ruby-sprockets-rails]
app_units_release_commands: [bin/rails db:migrate db:seed]
"""
#: What Rails 6.1 does not know, or says otherwise.
CHANGES = {
    ".ruby-version": [("3.3", "3.1")],
    "Gemfile": [("7.2.0", "6.1.0"), ('"propshaft"', '"sprockets-rails"')],
    "app/models/application_record.rb": [("primary_abstract_class", "self.abstract_class = true")],
    "config/application.rb": [
        ("load_defaults 7.2", "load_defaults 6.1"),
        ('require "action_view/railtie"', 'require "action_view/railtie"\nrequire "sprockets/railtie"'),
    ],
    "config/environments/production.rb": [
        ("config.enable_reloading = false", "config.cache_classes = true"),
        ("  config.active_record.attributes_for_inspect = [:id]\n", ""),
    ],
    "db/seeds.rb": [("reading_minutes: 2 }", "reading_minutes: 2, created_at: Time.now, updated_at: Time.now }")],
    "db/migrate/20260101000000_create_articles.rb": [("[7.2]", "[6.1]")],
}


def make(folder: Path) -> Path:
    """Copy the example app and change it; its gems are not locked yet."""
    app = Path(shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("tmp", "log", ".bundle", "Gemfile.lock")))
    for name, changes in CHANGES.items():
        text = (app / name).read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text, f"{name} has no {before} any more"
            text = text.replace(before, after)
        (app / name).write_text(text, encoding="utf-8")
    # Debian 12 has Sprockets 3, which takes application.css alone by itself.
    precompile = "Rails.application.config.assets.precompile += %w[theme.css]\n"
    (app / "config/initializers/assets.rb").write_text(precompile, encoding="utf-8")
    return app
