# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the API's process put together, and the loop that moves them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from dataclasses import replace

from moto.ec2 import ec2_backends

from lab.api import facts, front, status
from lab.api.autoscaling.groups import use_wishes
from lab.api.autoscaling.hooks import Hooks, use_hooks
from lab.api.autoscaling.reconcile import Reconciler
from lab.api.cloudformation import autoscaling, ec2, elbv2
from lab.api.cloudformation.engine import provide
from lab.api.cloudformation.states import use_states
from lab.api.cloudwatch import stacks as alarm_stacks
from lab.api.cloudwatch import store
from lab.api.cloudwatch.alarms import Alarms
from lab.api.cloudwatch.clock import Clock
from lab.api.cloudwatch.data import use_data
from lab.api.ec2.image_life import know_image_life
from lab.api.ec2.images import register_distribution, use_server_images
from lab.api.ec2.instances import use_servers
from lab.api.ec2.machines import Machines
from lab.api.ec2.memory import KEPT_SECONDS, Memory, use_memory
from lab.api.ec2.network import use_lab_network
from lab.api.ec2.profiles import use_profiles
from lab.api.ec2.publishing import use_publishing
from lab.api.ec2.tags import group_of, image_tags
from lab.api.elbv2.actions import use_checked_actions
from lab.api.elbv2.balancers import use_addresses, wanted
from lab.api.elbv2.hosts import hosts
from lab.api.elbv2.rules import use_rules
from lab.api.elbv2.targets import Targets, use_targets
from lab.api.faults.registry import Faults
from lab.api.functions.events import use_events
from lab.api.functions.topics import use_topics
from lab.api.functions.workers import Functions
from lab.api.journal import Journal, use_journal
from lab.api.moto_bridge import LOCK
from lab.api.safe_yaml import use_safe_loader
from lab.api.settings import ACCOUNT, Settings
from lab.loadbalancer.haproxy import HAProxy, HAProxyError
from lab.metadata import MetadataService
from lab.metrics.collector import Collector
from lab.servers.interface import Servers
from lab.servers.loopback import LoopbackServers
from lab.servers.none import NoServers
from lab.servers.podman import PodmanServers
from lab.settings import REGION

log = logging.getLogger(__name__)
#: The releases of Debian that the lab can have; the older one is there where its image was made (lab.rootfs.base).
DISTRIBUTIONS = ("13", "12")
_TICK_SECONDS = 0.2
_RETRY_SECONDS = 5


class Lab:
    """Everything behind the API. It begins empty each time: nothing of an earlier process is known."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.faults = Faults()
        self._stop = threading.Event()
        use_safe_loader()
        use_lab_network(settings)
        self._machines = Machines(_servers(settings))
        self._targets = Targets(settings)
        hooks = Hooks(settings)
        self._reconciler = Reconciler(settings, self._targets, hooks)
        self._memory = Memory(settings.seconds(KEPT_SECONDS))
        use_servers(self._machines)
        use_memory(self._memory)
        know_image_life(lambda _account, _region: front.parameters())
        use_server_images(self._machines)
        use_profiles()
        use_publishing(self._machines)
        use_targets(self._targets)
        use_addresses(settings)
        use_checked_actions()
        use_rules()
        use_wishes()
        use_hooks(hooks)
        provide(ec2.TYPES + autoscaling.types(settings) + elbv2.TYPES + alarm_stacks.TYPES)
        use_states(self.faults)
        self._journal = Journal(self._targets)
        use_journal(self._journal)
        clock = Clock(settings.clock_factor)
        use_data(clock)
        self.alarms = Alarms(clock)
        use_events(settings)
        use_topics()
        self._functions = Functions(settings)
        self._haproxy = HAProxy(settings.run_dir, settings.lab.api_port)
        self._metrics = Collector(self._haproxy.requests, settings.seconds(60), store.publish)
        self._metadata: MetadataService | None = None
        self._retry_at = 0.0
        self._loop = threading.Thread(target=self._run, name="lab", daemon=True)

    def start(self) -> None:
        """Remove what an earlier process left running, register the distribution's image, begin to move."""
        for instance_id in self._machines.servers.running():
            self._machines.servers.terminate(instance_id)
        for release in DISTRIBUTIONS:
            if self._machines.servers.has_image(f"debian-{release}"):
                image = register_distribution(self._machines, release)
                front.publish_parameter(f"/aws/service/debian/release/{release}/latest/amd64", image)
        self._move()
        self._loop.start()

    def close(self) -> None:
        """Stop moving, end the functions, HAProxy and the metadata service, remove every server."""
        self._stop.set()
        self._loop.join()
        self._functions.close()
        self._targets.close()
        self._haproxy.close()
        if self._metadata:
            self._metadata.close()
        self._machines.close()

    def status(self) -> object:
        """See ``lab.api.status``."""
        return status.status(self._targets)

    def journal(self, since: int) -> object:
        """See ``lab.api.journal``."""
        return self._journal.shown(since)

    def _run(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            try:
                self._move()
            except Exception:  # the lab goes on with the next step; what went wrong is in the log
                log.exception("a step of the lab failed")

    def _move(self) -> None:
        with LOCK:
            self._targets.tick()
            self._reconciler.tick()
            self._memory.tick(ec2_backends[ACCOUNT][REGION])
            balancing = wanted(self._targets, self._settings)
            health = hosts(balancing, self._targets)
            self._journal.look()
        self._metrics.tick(balancing, health, time.time())
        if time.monotonic() < self._retry_at:
            return
        try:
            self._haproxy.apply(replace(balancing, relay=self._relay()))
        except HAProxyError as error:
            log.error("%s", error)
            self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _relay(self) -> tuple[str, int] | None:
        """Where servers reach the API, once the lab's network is there; the metadata service starts with it."""
        if self._settings.servers != "podman" or not _exists(self._settings.lab.gateway):
            return None
        if self._metadata is None:
            self._metadata = MetadataService(
                facts.by_address, self._settings.lab.gateway, self._settings.lab.metadata_port
            )
        return self._settings.lab.gateway, self._settings.lab.api_port


def _servers(settings: Settings) -> Servers:
    if settings.servers == "podman":
        return PodmanServers(settings.run_dir)
    return LoopbackServers(image_tags, group_of) if settings.servers == "loopback" else NoServers()


def _exists(address: str) -> bool:
    """Whether the address is one of this machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
