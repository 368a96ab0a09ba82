# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A booted server with config-pull as its role installs it, and the app's own unit around a small program."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.podman import Podman
from lab.servers.podman import PodmanServers
from lab.settings import CHECKOUT
from tests.lab.web_unit import web_unit

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    # There is nothing to ask in the first moments of a boot.
    - ansible.builtin.raw: systemctl is-system-running --wait
      changed_when: false
      register: booted
      until: booted.rc == 0
      retries: 30
      delay: 1
    - ansible.builtin.apt: {update_cache: true}
    - ansible.builtin.include_role: {name: immutable.ec2.config_pull}
      vars: {config_pull_boot_deadline: 5}
"""
#: Writes down what it was given, says that it is ready, and stays.
APP = """\
#!/bin/sh
cat /proc/self/environ > /var/lib/app/environ
rm -rf /var/lib/app/files && cp -r "$CREDENTIALS_DIRECTORY" /var/lib/app/files
touch /var/lib/app/ready
exec sleep infinity
"""
INSTALL = """\
set -eu
getent passwd app >/dev/null || useradd --system app
mkdir -p /srv/app/current /var/lib/app /etc/immutable
chown app /var/lib/app
touch /etc/immutable/release.env /etc/immutable/app.env
printf '#!/bin/sh\\nwhile ! test -e /var/lib/app/ready; do sleep 0.05; done\\n' > /usr/lib/immutable/wait-for-app
echo {app} | base64 -d > /usr/lib/immutable/app
echo {unit} | base64 -d > /etc/systemd/system/app-web.service
chmod 0755 /usr/lib/immutable/wait-for-app /usr/lib/immutable/app
systemctl daemon-reload
"""


@dataclass(frozen=True)
class Booted:
    """The server; its commands run as root."""

    podman: Podman
    servers: PodmanServers
    name: str
    instance: str

    def run(self, command: str) -> str:
        """What a shell command printed; it must succeed."""
        return self.podman.run("exec", self.name, "sh", "-c", command)

    def try_(self, command: str) -> int:
        """The exit code of a shell command."""
        return self.podman.attempt("exec", self.name, "sh", "-c", command).returncode

    def content(self, path: str) -> bytes:
        """The content of a file."""
        return base64.b64decode(self.run(f"base64 '{path}'"))

    def declare(self, content: dict[str, Any]) -> None:
        """Write the declaration, as a bake would have."""
        text = json.dumps(content).encode()
        self.podman.run("exec", "--interactive", self.name, "sh", "-c", "cat > /etc/immutable/config.yml", data=text)

    def boot_app(self) -> int:
        """Stop all of it, then start the app as a boot does; the exit code of systemctl."""
        stop = "systemctl stop app-web config-pull; systemctl reset-failed app-web config-pull 2>/dev/null"
        self.run(f"{stop}; rm -rf /var/lib/app/ready /var/lib/app/environ /var/lib/app/files; true")
        return self.try_("systemctl start app-web")

    def environ(self) -> dict[str, bytes]:
        """The variables that the app got."""
        pairs = self.content("/var/lib/app/environ").split(b"\0")[:-1]
        return {name.decode(): value for name, value in (pair.split(b"=", 1) for pair in pairs)}

    def console(self) -> str:
        """What the instance's console showed."""
        return self.servers.console_output(self.instance)


def install(booted: Booted, folder: Path) -> None:
    """Run the role on the server, and put the app's unit around the program."""
    (folder / "install.yml").write_text(PLAYBOOK)
    connection = "ansible_connection=containers.podman.podman ansible_python_interpreter=/usr/bin/python3"
    (folder / "inventory").write_text(f"{booted.name} {connection}\n")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", str(folder / "inventory"), str(folder / "install.yml")]
    environment = {**os.environ, "CONTAINERS_CONF": f"{booted.podman.owner}/containers.conf", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    encoded = {"app": base64.b64encode(APP.encode()).decode(), "unit": base64.b64encode(web_unit().encode()).decode()}
    booted.run(INSTALL.format(**encoded))
