# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the role image_seal, run as the role runs it, over a file system in a folder (promise 8)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "image_seal"
VARIABLES: dict[str, Any] = {
    **yaml.safe_load((ROLE / "defaults" / "main.yml").read_text()),
    **yaml.safe_load((ROLE / "vars" / "main.yml").read_text()),
}
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n"


@dataclass(frozen=True)
class Result:
    """The program's answer, its paths without the folder."""

    secrets: list[str]
    changed: list[str]
    left: list[str]


def write(root: Path, path: str, text: str) -> Path:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def seal(root: Path, **changes: Any) -> Result:
    orders = {name.removeprefix("image_seal_"): value for name, value in VARIABLES.items()}
    del orders["build_tools"]  # another program's
    orders |= {"dry_run": False, "root": str(root)} | changes
    program = (ROLE / "files" / "seal.py").read_text()
    ran = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(orders), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout.replace(str(root), ""))
    return Result(**answer)


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """What a builder's file system has at the end of a bake, secrets apart."""
    write(tmp_path, "/etc/ssh/ssh_host_ed25519_key", PRIVATE_KEY)
    write(tmp_path, "/etc/ssh/sshd_config", "UsePAM yes\n")
    write(tmp_path, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(tmp_path, "/home/admin/.ssh/authorized_keys", "ssh-ed25519 AAAA packer\n")
    write(tmp_path, "/home/admin/.ansible/tmp/x/AnsiballZ_command.py", "pass\n")
    write(tmp_path, "/home/admin/.bashrc", "alias ll='ls -l'\n")
    write(tmp_path, "/root/.bash_history", "export SECRET_KEY_BASE=0123456789\n")
    write(tmp_path, "/var/lib/cloud/instances/i-1/user-data.txt", "#!/bin/sh\n")
    write(tmp_path, "/var/log/journal/0123/system.journal", "LPKSHHRH")
    write(tmp_path, "/var/log/nginx/access.log", "GET /\n")
    write(tmp_path, "/var/log/dpkg.log.1", "installed\n")
    write(tmp_path, "/var/lib/apt/lists/deb.debian.org_debian_dists_trixie_InRelease", "Origin: Debian\n")
    write(tmp_path, "/var/tmp/systemd-private-1-nginx/tmp/body", "x")
    write(tmp_path, "/srv/app/current/config/database.yml", "production:\n  url: <%= ENV['DATABASE_URL'] %>\n")
    write(
        tmp_path,
        "/srv/app/current/config/immutable.yml",
        "keys:\n  DATABASE_URL: {required: true}\n  REDIS_URL:\n    secret: true\n",
    )
    return tmp_path


def test_what_is_the_builders_goes_and_all_else_stays(builder: Path) -> None:
    result = seal(builder)
    assert result.secrets == [] and result.left == []
    kept = {str(path.relative_to(builder)) for path in builder.rglob("*") if path.is_file()}
    assert kept == {
        "etc/machine-id",
        "etc/ssh/sshd_config",
        "home/admin/.bashrc",
        "srv/app/current/config/database.yml",
        "srv/app/current/config/immutable.yml",
        "var/log/nginx/access.log",
        "var/tmp/systemd-private-1-nginx/tmp/body",
    }
    assert (builder / "etc/machine-id").read_text() == (builder / "var/log/nginx/access.log").read_text() == ""


def test_the_folder_of_package_lists_looks_old(builder: Path) -> None:
    seal(builder)
    assert (builder / "var/lib/apt/lists").stat().st_mtime == 0, "apt with cache_valid_time would not update"


def test_a_second_run_changes_nothing(builder: Path) -> None:
    assert seal(builder).changed != []
    assert seal(builder).changed == []


def test_a_dry_run_says_what_it_would_change_and_changes_nothing(builder: Path) -> None:
    before = {path: path.read_bytes() for path in builder.rglob("*") if path.is_file()}
    planned = seal(builder, dry_run=True)
    assert {path: path.read_bytes() for path in builder.rglob("*") if path.is_file()} == before
    assert planned.changed == seal(builder).changed


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("/srv/app/current/config/master.key", "0123456789abcdef\n", "a file that holds secrets"),
        ("/srv/app/current/config/credentials/production.key", "0123456789abcdef\n", "a file that holds secrets"),
        ("/srv/app/current/.env", "A=b\n", "a file that holds secrets"),
        ("/srv/app/current/.env.production", "A=b\n", "a file that holds secrets"),
        ("/root/.aws/credentials", "[default]\n", "a file that holds secrets"),
        ("/home/admin/deploy_key", PRIVATE_KEY, "private key"),
        ("/usr/local/etc/tls.pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n", "private key"),
        ("/etc/environment", "DATABASE_URL=postgres://shop:pw@db/shop\n", "value for DATABASE_URL"),
        ("/etc/profile.d/app.sh", "true\n  export REDIS_URL='redis://cache:6379/0'\n", "value for REDIS_URL"),
        (
            "/etc/systemd/system/app.service",
            '[Service]\nEnvironment="SECRET_KEY_BASE=0123"\n',
            "value for SECRET_KEY_BASE",
        ),
        ("/etc/app.json", '{\n  "RAILS_MASTER_KEY": "0123456789"\n}\n', "value for RAILS_MASTER_KEY"),
        ("/opt/tool/config.yml", "VAULT_TOKEN: hvs.0123456789\n", "value for VAULT_TOKEN"),
        ("/srv/app/current/notes.txt", f"key AKIA{'QWERTYUIOPASDFGH'}\n", "match of"),
        ("/srv/app/current/Gemfile", f"# ghp_{'a1' * 18}\n", "match of"),
    ],
)
def test_a_secret_is_refused_by_its_path_and_nothing_is_removed(builder: Path, path: str, text: str, rule: str) -> None:
    write(builder, path, text)
    result = seal(builder)
    assert len(result.secrets) == 1 and result.secrets[0].startswith(f"{path}: {rule}")
    assert (builder / "etc/ssh/ssh_host_ed25519_key").exists(), "a bake that failed can still be looked at"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/srv/app/current/.env.example", "DATABASE_URL=postgres://localhost/shop\n"),
        ("/srv/app/current/.env", ""),
        (
            "/srv/app/current/config/database.yml",
            '#   DATABASE_URL="postgres://myuser:mypass@localhost/somedatabase"\n',
        ),
        ("/srv/app/current/Dockerfile", "RUN SECRET_KEY_BASE_DUMMY=1 ./bin/rails assets:precompile\n"),
        ("/srv/app/current/bin/start", 'DATABASE_URL="$DATABASE_URL" exec puma\nexport REDIS_URL=${REDIS_URL:-}\n'),
        ("/srv/app/vendor/bundle/ruby/3.3.0/gems/web-1.0/examples/key.pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n"),
        ("/srv/app/current/doc/aws.md", "AKIAIOSFODNN7EXAMPLE\n"),
        ("/usr/share/ruby-openssl/test/key.pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n"),
        ("/srv/app/current/lib/pem.rb", 'HEADER = "-----BEGIN PRIVATE KEY-----"\n'),
    ],
)
def test_what_only_looks_like_a_secret_passes(builder: Path, path: str, text: str) -> None:
    write(builder, path, text)
    assert seal(builder).secrets == []


@pytest.mark.parametrize(
    "path", ["/usr/lib/ruby/app.rb", "/srv/app/current/.env.example", "/srv/app/current/public/assets/a.js"]
)
def test_a_given_value_is_found_in_any_file_and_never_shown(builder: Path, path: str) -> None:
    write(builder, path, "x" * 5000 + "correct-horse" + "y" * 5000)
    result = seal(builder, secret_values=["correct-horse"])
    assert result.secrets == [f"{path}: one of the secret values"]
