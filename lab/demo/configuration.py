# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app needs before its first deployment: a database for each env, and its configuration in the stores."""

from __future__ import annotations

import json
import secrets

from botocore.exceptions import ClientError

from lab.demo.cloud import Cloud
from lab.podman import Podman
from lab.settings import Settings
from lab.stores import Stores


def ensure(settings: Settings, cloud: Cloud, app: str, envs: tuple[str, ...]) -> list[str]:
    """Make databases and write the configuration of each env that has none; returns the envs that it made some for.

    What is there is left as it is: a new password would lock out servers that run.
    """
    parameters = cloud.parameters
    stores = Stores(Podman(settings.run_dir), settings)
    made: list[str] = []
    for number, env in enumerate(envs):
        prefix = f"/{app}/{env}"
        known = {found["Name"] for found in parameters.get_parameters_by_path(Path=prefix)["Parameters"]}
        if f"{prefix}/DATABASE_URL" not in known:
            url = stores.create_database(f"{app}_{env}")
            parameters.put_parameter(Name=f"{prefix}/DATABASE_URL", Value=url, Type="SecureString")
            made.append(env)
        if f"{prefix}/REDIS_URL" not in known:
            parameters.put_parameter(Name=f"{prefix}/REDIS_URL", Value=stores.redis_url(number), Type="SecureString")
        name = f"{app}/{env}/rails"
        try:
            cloud.secrets.describe_secret(SecretId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            cloud.secrets.create_secret(Name=name, SecretString=json.dumps({"SECRET_KEY_BASE": secrets.token_hex(64)}))
    return made
