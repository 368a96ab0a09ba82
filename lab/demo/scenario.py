# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's steps, in the order in which they are done. What each means is in docs/tutorial.md, by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.demo import configuration
from lab.demo.cloud import Cloud, WeightsWatch
from lab.demo.commands import Commands
from lab.demo.journal import DemoError, Journal
from lab.demo.releases import SHOP, Source, commit, copy, fingerprint
from lab.demo.run import Bake, Deployment
from lab.load import Load
from lab.settings import CHECKOUT, REGION, Settings

APP = "shop"
ENVS = ("staging", "prod")
PATHS = ("/", "/up", "/articles")
ROLE_VARS = "examples/ops_repo/image.yml"
# A retirement waits for this, in real time: 2 minutes would be half of the demo.
EDGE = {"DeregistrationDelaySeconds": 20}


class Scenario:
    """Everything that `make demo` does.

    Args:
        settings: which lab.
        cloud: that lab's AWS.
        commands: runs playbooks against it.
        journal: told about each step.
        rate: requests a second of the load.

    `sources` holds the versions of the example app, and `releases` the bake id of each that was baked, by its number.
    """

    def __init__(self, settings: Settings, cloud: Cloud, commands: Commands, journal: Journal, rate: float) -> None:
        self._settings = settings
        self._cloud = cloud
        self._commands = commands
        self._journal = journal
        self._rate = rate
        self.sources: dict[int, Source] = {}
        self.releases: dict[int, str] = {}

    def play(self) -> None:
        """All of it; raises DemoError at the first step that does not end as it must."""
        self.start_lab()
        self.configure()
        self.make_bucket()
        for env in ENVS:
            self.make_edge(env)
        self.make_sources()
        self.bake_base()
        self.bake(1)
        self.plan("staging", 1)
        self.deploy("staging", 1)
        self.deploy("prod", 1)
        self.bake(2)
        self.deploy("staging", 2)
        with self.load("prod"):
            self.deploy("prod", 2, "promote the same image to prod", loaded=True)
            self.roll_back("prod", 1)
            self.deploy("prod", 2, "deploy again", loaded=True)
            self.retire("prod", loaded=True)
        self.deploy_once_more("prod", 2)
        self.retire("staging")
        self.prune()

    def start_lab(self) -> None:
        """The lab runs, with the clock factor that it was started with or will be."""
        with self._journal.phase("start the lab") as note:
            self._commands.run("lab-up", ["python", "-m", "lab", "up"])
            note.outcome = self._settings.api_url

    def configure(self) -> None:
        """Each env has its databases, and its configuration lies in the config stores."""
        with self._journal.phase("databases and configuration of each environment") as note:
            made = configuration.ensure(self._settings, self._cloud, APP, ENVS)
            note.outcome = f"made for {', '.join(made)}" if made else "there already"

    def make_bucket(self) -> None:
        """There is the bucket where releases keep their assets for each other's servers."""
        with self._journal.phase("bucket of the releases' assets") as note:
            note.outcome = self._cloud.make_bucket(APP)

    def make_edge(self, env: str) -> None:
        """The env has its load balancer, which may not serve anything yet."""
        with self._journal.phase(f"edge of {env}") as note:
            self._commands.playbook("environment", f"environment-{env}", env=env, environment_edge_parameters=EDGE)
            note.outcome = self._cloud.url(APP, env)

    def make_sources(self) -> None:
        """Two versions of the example app lie in folders of their own, with their gems locked."""
        with self._journal.phase("two versions of the example app, gems locked") as note:
            folders = {number: copy(number, self._journal.folder) for number in (1, 2)}
            # The gems are the same in both, so one lock is right for both.
            lock, when = self._lock(folders[1])
            self.sources = {number: commit(number, folder, lock) for number, folder in folders.items()}
            note.outcome = f"{', '.join(source.revision[:7] for source in self.sources.values())}; {when}"

    def _lock(self, folder: Path) -> tuple[bytes, str]:
        """The shop's Gemfile.lock, and where it is from.

        bin/lock asks the server's package sources, which takes a minute; its answer is taken again on the same day.
        """
        kept = self._journal.folder / "Gemfile.lock"
        wanted = fingerprint([SHOP / "Gemfile", SHOP / "bin/lock"], time.strftime("%Y-%m-%d", time.gmtime()))
        known = kept.with_suffix(".inputs")
        if kept.exists() and known.exists() and known.read_text(encoding="utf-8") == wanted:
            return kept.read_bytes(), "the lock is from an earlier run of today"
        self._commands.run("lock-gems", ["bin/lock"], folder)
        kept.write_bytes((folder / "Gemfile.lock").read_bytes())
        known.write_text(wanted, encoding="utf-8")
        return kept.read_bytes(), "locked just now"

    def bake_base(self) -> None:
        """There is a base image made from what its inputs are now; one that an earlier run made is taken again."""
        self._bake("base", self.sources[1])

    def bake(self, number: int) -> None:
        """A release is baked from its source and published, although an earlier run may have left one of the same."""
        self._bake("app", self.sources[number], number)

    def _bake(self, stage: str, source: Source, number: int = 0) -> str:
        release = source.release()
        with self._journal.phase(f"bake release {number}" if number else "bake the base image") as note:
            result = self._commands.playbook(
                *("bake", f"bake-{number or stage}"),
                app_dir=str(source.folder),
                role_vars=str(CHECKOUT / ROLE_VARS),
                stage=stage,
                release=release,
                force=bool(number),
            )
            if result["result"] == "unchanged":
                note.outcome = f"{result['images'][REGION]}, from an earlier run: its inputs have not changed"
                self._journal.run.notes.append(f"The base image {result['images'][REGION]} was made by an earlier run.")
                return str(result["images"][REGION])
            made = [
                image
                for image, tags in self._cloud.images(APP).items()
                if (tags.get("stage"), tags.get("release")) == (stage, release)
            ]
            if made != [result["images"][REGION]]:
                raise DemoError(f"{result['images']} was baked, and these say that they are {release}: {made}")
            note.outcome = f"{made[0]}, release {release}, {result['result']}"
        seconds = self._journal.run.phases[-1].seconds
        self._journal.run.bakes.append(Bake(made[0], seconds, stage, release))
        if number:
            self.releases[number] = release
        return made[0]

    def plan(self, env: str, number: int) -> None:
        """The plan of a deployment is shown, and nothing is created or changed."""
        release = self.releases[number]
        with self._journal.phase(f"plan of deploying release {number} to {env} (--check --diff)") as note:
            before = self._cloud.everything()
            planned = self._commands.playbook("deploy", f"plan-{env}", "--check", "--diff", env=env, image=release)
            touched = before ^ self._cloud.everything()
            if touched:
                raise DemoError(f"the dry run touched {', '.join(sorted(touched))}")
            note.outcome = f"{len(planned['steps'])} steps; nothing created"

    def deploy(self, env: str, number: int, name: str = "", loaded: bool = False) -> None:
        """An env serves a release."""
        release = self.releases[number]
        with self._journal.phase(name or f"deploy release {number} to {env}", loaded) as note:
            result = self._commands.playbook("deploy", f"deploy-{env}-{number}", env=env, image=release)
            self._expect(result, "deployed", release)
            note.outcome = f"{result['live']} serves release {number}"
        self._record(env, result)

    def roll_back(self, env: str, number: int) -> None:
        """An env serves the release from before again."""
        with self._journal.phase("roll back", loaded=True) as note:
            result = self._commands.playbook("rollback", f"rollback-{env}", env=env)
            self._expect(result, "rolled_back", self.releases[number])
            note.outcome = f"{result['live']} serves release {number} again"
        self._record(env, result)
        self._journal.run.rollback_seconds = round(self._journal.run.phases[-1].seconds, 1)

    def retire(self, env: str, loaded: bool = False) -> None:
        """An env's old colour is gone, before its rollback window has passed."""
        with self._journal.phase(f"retire {env}'s old colour", loaded) as note:
            result = self._commands.playbook("retire", f"retire-{env}", env=env, immediate=True)
            self._expect(result, "retired", self.releases[2])
            note.outcome = f"only {result['live']} is left"

    def deploy_once_more(self, env: str, number: int) -> None:
        """The same deployment again changes nothing."""
        with self._journal.phase("the same deployment once more") as note:
            before = self._cloud.everything()
            result = self._commands.playbook("deploy", f"again-{env}", env=env, image=self.releases[number])
            self._expect(result, "nothing_to_do", self.releases[number])
            touched = before ^ self._cloud.everything()
            if touched or result["changed"]:
                raise DemoError(f"the second deployment touched {', '.join(sorted(touched)) or 'something'}")
            note.outcome = "nothing to do, nothing changed"
        self._record(env, result)

    def prune(self) -> None:
        """Images that nobody needs are gone: of each stage the newest one stays, and all that are in use."""
        with self._journal.phase("prune images") as note:
            before = self._cloud.images(APP)
            # Images in use count among the newest: no spare one stays.
            self._commands.playbook(
                "prune", "prune", prune_keep={"newest": 1, "count_in_use": True, "per_env_previous": 0}
            )
            after = self._cloud.images(APP)
            self._journal.run.images_before, self._journal.run.images_after = len(before), len(after)
            gone = [f"{before[image]['stage']} {before[image]['release']}" for image in before if image not in after]
            note.outcome = f"{len(before)} before, {len(after)} after; gone: {', '.join(gone) or 'none'}"

    @contextmanager
    def load(self, env: str) -> Iterator[None]:
        """Requests come in at a constant rate, for pages and for the assets of every release, whichever serves, and the
        listener's weights are watched, while the body runs."""
        run, folder = self._journal.run, self._journal.folder
        url = self._cloud.url(APP, env)
        assets = sorted({path for release in self.releases.values() for path in self._cloud.assets(APP, release)})
        load = Load(url, folder / "load.jsonl", rate=self._rate, paths=(*PATHS, *assets))
        watch = WeightsWatch(self._cloud, APP, env, run.weights)
        self._journal.tell(
            f"{env} now gets {self._rate:g} requests a second at {url}, for {len(PATHS)} pages and {len(assets)} "
            "digested assets of both releases"
        )
        try:
            with watch, load:
                yield
        finally:
            run.load = load.summary
            if watch.unread:
                run.notes.append(f"{watch.unread} of the reads of the weights failed.")
            self._journal.write()

    def _record(self, env: str, result: dict[str, Any]) -> None:
        seconds = self._journal.run.phases[-1].seconds
        self._journal.run.deployments.append(Deployment(env, result["release"], seconds, result["result"]))
        self._journal.write()

    @staticmethod
    def _expect(result: dict[str, Any], wanted: str, release: str) -> None:
        if (result.get("result"), result.get("release")) != (wanted, release):
            raise DemoError(
                f"{wanted} with release {release} was expected, and the result was {result.get('result')} "
                f"with {result.get('release')}: {result.get('reason')}"
            )


def folders(folder: Path) -> Path:
    """Empty what an earlier run left that this one would mix with its own; returns the folder for logs."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for old in (
        *logs.iterdir(),
        *(folder / name for name in ("load.jsonl", "report.html", "summary.json", "run.json")),
    ):
        old.unlink(missing_ok=True)
    return logs
