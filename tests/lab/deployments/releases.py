# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are bad, made in seconds: a server of a good release is changed, and an image made of it."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.podman import Podman
from tests.lab.shop import APP, Shop

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import TagTypeDef

APP_DIR = "/srv/app/current"
BAD = f"{APP_DIR}/config/initializers/zz_bad.rb"

MIDDLEWARE = """
class Bad
  def initialize(app)
    @app = app
    @times = []
    @lock = Mutex.new
    @count = 0
  end

  def call(env)
    return @app.call(env) if env["PATH_INFO"] == "/up"
    {body}
    @app.call(env)
  end
end
Rails.application.config.middleware.insert_before 0, Bad
"""
KINDS = {
    "good": "",
    # 3 % of the requests by count: by chance it would at times be too few for any test of proportions.
    "errors": MIDDLEWARE.format(
        body="number = @lock.synchronize { @count += 1 }\n"
        '    return [500, {"content-type" => "text/plain"}, ["broken"]] if number % 33 == 16'
    ),
    "slow": MIDDLEWARE.format(body="sleep 1"),
    # Each of its two processes bears 7 requests a second, for some seconds: enough for a tenth of the traffic.
    "crashing": MIDDLEWARE.format(
        body="now = Process.clock_gettime(Process::CLOCK_MONOTONIC)\n"
        "    @times = @times.push(now).last(36)\n"
        "    Process.kill(:KILL, Process.ppid) if @times.size == 36 && now - @times.first < 5"
    ),
    "never": 'raise "CATALOGUE_URL is not set, the catalogue can\'t be read"\n',
}
#: A web service that has crashed stays down.
STAYS_DOWN = ("/etc/systemd/system/app-web.service.d/stays-down.conf", "[Service]\nRestart=no\n")


@dataclass
class Releases:
    """Makes images of releases that differ from the first by one file each.

    Args:
        shop: the lab with its good releases.
    """

    shop: Shop
    made: dict[str, str] = field(default_factory=dict)
    """Release → image."""

    def make(self, *kinds: str) -> None:
        """Release ``r-<kind>`` for each kind, all from one server."""
        ec2 = self.shop.cloud.ec2
        first = next(image for image, tags in self._images().items() if tags.get("release") == self.shop.first)
        started = ec2.run_instances(ImageId=first, MinCount=1, MaxCount=1, InstanceType="t3.small")
        server = started["Instances"][0]["InstanceId"]
        ec2.get_waiter("instance_running").wait(InstanceIds=[server], WaiterConfig={"Delay": 1})
        before = self.shop.first
        for kind in kinds:
            release = f"r-{kind}"
            self._keep_assets(release)
            self._change(server, before, release, kind)
            self.made[release] = self._image(server, release)
            before = release
        ec2.terminate_instances(InstanceIds=[server])

    def remove(self) -> None:
        """The images are gone again."""
        for image in self.made.values():
            self.shop.cloud.ec2.deregister_image(ImageId=image)
        self.made.clear()

    def _images(self) -> dict[str, dict[str, str]]:
        return self.shop.cloud.images(APP)

    def _keep_assets(self, release: str) -> None:
        """It has the first release's assets."""
        objects, bucket = self.shop.cloud.objects, self.shop.cloud.make_bucket(APP)
        listed = objects.get_object(Bucket=bucket, Key=f"assets/releases/{self.shop.first}.json")["Body"].read()
        objects.put_object(Bucket=bucket, Key=f"assets/releases/{release}.json", Body=listed)

    def _change(self, server: str, before: str, release: str, kind: str) -> None:
        down, setting = STAYS_DOWN
        self._shell(
            server,
            f"sed -i 's/{before}/{release}/g' /etc/nginx/nginx.conf /etc/immutable/release.env"
            f" && rm -f {BAD} {down} && mkdir -p $(dirname {down})",
        )
        if KINDS[kind]:
            self._write(server, BAD, KINDS[kind])
        if kind == "crashing":
            self._write(server, down, setting)

    def _write(self, server: str, path: str, text: str) -> None:
        encoded = base64.b64encode(text.encode()).decode()
        self._shell(server, f"echo {encoded} | base64 -d > {path} && chmod 0644 {path}")

    def _shell(self, server: str, script: str) -> None:
        podman = Podman(self.shop.settings.run_dir)
        podman.run("exec", f"{self.shop.settings.name}-{server}", "sh", "-c", script)

    def _image(self, server: str, release: str) -> str:
        ec2 = self.shop.cloud.ec2
        tags = {"Name": f"{APP}-app-{release}", "app": APP, "stage": "app", "release": release, "channel": "main"}
        listed: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags.items()]
        image = ec2.create_image(
            InstanceId=server,
            Name=f"{APP}-app-{release}-{time.time():.0f}",
            NoReboot=True,
            TagSpecifications=[{"ResourceType": "image", "Tags": listed}],
        )["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
        return str(image)
