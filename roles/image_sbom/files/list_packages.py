# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what this server holds, as JSON: ``list_packages.py APP_DIR``. Runs on the server; changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

GEMS_OF_THE_APP = "require 'bundler'; specs = Bundler.load.specs.to_a"
GEMS_OF_THE_SYSTEM = "specs = Gem::Specification.to_a"
AS_JSON = """
require 'json'
puts JSON.generate(specs.map { |spec|
  { type: 'gem', name: spec.name, version: spec.version.to_s, licences: spec.licenses.compact }
})
puts JSON.generate({ type: 'ruby', name: RUBY_ENGINE, version: "#{RUBY_VERSION}p#{RUBY_PATCHLEVEL}" })
"""


def main(app_dir: str) -> int:
    """Print the list; return the exit code."""
    system = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    packages = [*system_packages(), *ruby_packages(Path(app_dir))]
    where = {"id": system.get("ID", "").strip('"'), "version": system.get("VERSION_ID", "").strip('"')}
    print(json.dumps({"system": where, "packages": packages}))
    return 0


def system_packages() -> list[dict[str, object]]:
    """What dpkg has installed."""
    fields = "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\n"
    listed = run(["dpkg-query", "--show", f"--showformat={fields}"])
    lines = (line.split("\t") for line in listed.splitlines())
    return [
        {"type": "deb", "name": name, "version": version, "architecture": architecture}
        for status, name, version, architecture in lines
        if status == "installed"
    ]


def ruby_packages(app_dir: Path) -> list[dict[str, object]]:
    """Ruby and gems: the app's, or all that there are where there is no app. Nothing where there is no Ruby."""
    if not shutil.which("ruby"):
        return []
    is_app = (app_dir / "Gemfile.lock").exists()
    script = f"{GEMS_OF_THE_APP if is_app else GEMS_OF_THE_SYSTEM}; {AS_JSON}"
    lines = run(["ruby", "-e", script], app_dir if is_app else Path("/")).splitlines()
    return [*json.loads(lines[-2]), json.loads(lines[-1])]


def run(command: list[str], folder: Path = Path("/")) -> str:
    """What a command prints; ends the whole with its error if it fails."""
    environment = {**os.environ, "BUNDLE_SILENCE_ROOT_WARNING": "true", "LC_ALL": "C.UTF-8", "DISABLE_BOOTSNAP": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"image_sbom: {command[0]} can't list its packages: {done.stderr.strip()[-400:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/srv/app/current"))
