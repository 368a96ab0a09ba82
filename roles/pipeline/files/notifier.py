# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells Slack what is published to the pipeline's topic: the notifier, a Lambda function.

It knows results of bakes (docs/reference/bake.md) and CodeBuild's changes of a build's state; what else comes is
passed on as text. Whoever has the webhook's address can write to the channel: it is in no log and in no error.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})
TRIES = 4
FIRST_WAIT_SECONDS = 1.0
ANSWER_SECONDS = 10.0
# Slack takes 3,000 characters a section and 50 blocks, and refuses a message of more than some 13,000 in all.
# https://docs.slack.dev/reference/block-kit/blocks/section-block
MOST_TEXT, MOST_CODE, MOST_FIELD = 1500, 2800, 300
MOST_PACKAGES = 20
ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]*")
ICONS = {
    "started": ":hourglass_flowing_sand:",
    "published": ":white_check_mark:",
    "baked": ":white_check_mark:",
    "unchanged": ":heavy_equals_sign:",
}
FAILED = ":x:"

Block = dict[str, Any]
Payload = dict[str, Any]


class NotDelivered(Exception):
    """Slack has not taken the message; the text says why, without the webhook's address."""


# --- what is said


def escaped(text: object, most: int = MOST_TEXT) -> str:
    """Text in which Slack sees no markup, mention or link, cut to so many characters with its end marked.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    letters = [{"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(letter, letter) for letter in str(text)[: most + 1]]
    if sum(map(len, letters)) <= most:
        return "".join(letters)
    while sum(map(len, letters)) > most - 1:
        letters.pop()
    return "".join(letters) + "…"


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def titled(title: str, lines: Iterable[str]) -> list[Block]:
    """A section of ready lines under a title, as many as there is room for; none without lines."""
    shown, room = f"*{title}*", MOST_TEXT - len(title) - 20
    lines = list(lines)
    for number, line in enumerate(lines):
        if len(line) + 1 > room:
            return [section(f"{shown}\n… {len(lines) - number} more")]
        shown, room = f"{shown}\n{line}", room - len(line) - 1
    return [section(shown)] if lines else []


def code(lines: Iterable[object]) -> list[Block]:
    """The last of the lines as a block of code; three backticks in a line would end it."""
    room, kept = MOST_CODE, []
    for line in reversed(list(lines)):
        shown = escaped(str(line).replace("```", "'''"), 500)
        room -= len(shown) + 1
        if room < 0:
            break
        kept.append(shown)
    text = "\n".join(reversed(kept)).strip("\n")
    return [section(f"```\n{text}\n```")] if text else []


def link(address: object, words: str) -> list[Block]:
    """A line with a link; none for what is no web address."""
    if not str(address).startswith(("https://", "http://")):
        return []
    safe = escaped(quote(str(address), safe="%:/?#[]@!$&'()*+,;=~"), 1000)
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{safe}|{words}>"}]}]


def said(icon: str, text: object, *blocks: Block) -> Payload:
    """A message; its text alone is what notifications show."""
    shown = escaped(text, MOST_TEXT - 60) or "(nothing)"
    return {"text": shown, "blocks": [section(f"{icon} *{shown}*"), *blocks]}


def of_bake(bake: Mapping[str, Any], app: str) -> Payload:
    """What is said of a bake's result; one that ended early may not know its app."""
    result, failure = bake["result"], bake.get("failure") or {}
    facts = {name: bake.get(name) for name in ("app", "release", "result", "channel", "revision", "build")}
    facts["app"] = facts["app"] or app
    fields = [f"*{name.capitalize()}*\n{escaped(value, MOST_FIELD)}" for name, value in facts.items() if value]
    blocks: list[Block] = [{"type": "section", "fields": [{"type": "mrkdwn", "text": each} for each in fields]}]
    if failure:
        blocks += titled("Failed step", [escaped(failure.get("step"), 500)]) + code(failure.get("lines") or [])
    images = bake.get("images") or {}
    blocks += titled("Images", (f"{escaped(region)}: `{escaped(image)}`" for region, image in sorted(images.items())))
    validation = bake.get("validation") or {}
    if validation:
        started = "the app was started" if validation.get("app_started") else "the app was not started"
        verdict = escaped(validation.get("result"), 20)
        blocks += titled(f"Validation {verdict}", [f"{escaped(validation.get('reason'), 500)}; {started}"])
    blocks += by_phase(bake.get("seconds") or {})
    blocks += packages(bake.get("packages") or {})
    return said(ICONS.get(result, FAILED), bake["message"], *blocks, *link(bake.get("log_url"), "Log"))


def by_phase(seconds: Mapping[str, float]) -> list[Block]:
    shown = " · ".join(f"{phase} {value:g}" for phase, value in seconds.items() if value)
    return titled("Seconds", [escaped(shown, 1000)]) if shown else []


def packages(changes: Mapping[str, Any]) -> list[Block]:
    """The difference to the image before: how many, and the names of the first."""
    lines = []
    for what in ("added", "changed", "removed"):
        found = changes.get(what) or []
        names = [f"{each['name']} {each['from']} → {each['to']}" for each in found[:MOST_PACKAGES] if "from" in each]
        names += [f"{each['name']} {each['version']}" for each in found[:MOST_PACKAGES] if "from" not in each]
        names += ["…"] if len(found) > MOST_PACKAGES else []
        lines.append(f"{len(found)} {what}" + (f": {escaped(', '.join(names), 400)}" if names else ""))
    if changes.get("left_off"):
        lines.append(f"{changes['left_off']} more are in the result's file")
    before = escaped(changes.get("previous_release") or "the image before", 80)
    return titled(f"Packages, since {before}", lines) if changes else []


def of_build(build: Mapping[str, Any], app: str) -> Payload:
    """What is said of a build that ended without a result of its bake.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
    """
    more = build.get("additional-information") or {}
    phases = more.get("phases") or []
    failed = [phase for phase in phases if phase.get("phase-status", "SUCCEEDED") != "SUCCEEDED"]
    status = str(build["build-status"]).lower().replace("_", " ")
    where = f" in phase {failed[0]['phase-type']}" if failed else ""
    seconds = {phase["phase-type"].lower(): phase.get("duration-in-seconds", 0) for phase in phases}
    reasons = [context for phase in failed for context in phase.get("phase-context") or [] if context.strip(" :")]
    return said(
        FAILED,
        f"{app}: the build {status}{where}; its bake has said nothing of that",
        *code(reasons),
        *by_phase(seconds),
        *link((more.get("logs") or {}).get("deep-link"), "Log"),
    )


def of_text(subject: object, text: str) -> Payload:
    return said(":speech_balloon:", subject or "A message of the pipeline's topic", *code(text.splitlines()))


# --- how it is sent


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that points elsewhere is wrong: what it is sent goes nowhere else."""

    def redirect_request(self, *_given: Any) -> None:
        return None


class Webhook:
    """Slack's incoming webhook. `address` is called for each message, and with True where Slack knows it no more."""

    def __init__(self, address: Callable[[bool], str]) -> None:
        self._address = address
        context = ssl.create_default_context()
        self._opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=context))

    def post(self, payload: Payload, milliseconds_left: Callable[[], int]) -> int:
        """Sends it, again where that may help: returns the number of tries. Raises NotDelivered.

        https://docs.slack.dev/apis/web-api/rate-limits#incoming-webhooks
        """
        data = json.dumps(payload).encode()
        anew, why = False, ""
        for number in range(1, TRIES + 1):
            status, why, asked = self._try(self._address(anew), data)
            if status == 200:
                return number
            # It may have been replaced since this process read it.
            replaced, anew = status in (403, 404, 410) and not anew, status in (403, 404, 410)
            if status and status != 429 and status < 500 and not replaced:
                raise NotDelivered(f"Slack refused it: {why}")
            wait = 0 if replaced else asked or FIRST_WAIT_SECONDS * 2 ** (number - 1) * random.uniform(1, 1.5)
            if number == TRIES or milliseconds_left() / 1000 < wait + 2 * ANSWER_SECONDS:
                break
            print(f"try {number}: {why}; again in {wait:.1f} s")
            time.sleep(wait)
        raise NotDelivered(f"Slack did not take it at try {number}: {why}")

    def _try(self, address: str, data: bytes) -> tuple[int, str, float]:
        """One request: its status (0 without an answer), why it failed, and the seconds that Slack asks to wait.

        No exception of the libraries leaves it, nor does its text: it may hold the address.
        """
        try:
            request = urllib.request.Request(address, data, {"Content-Type": "application/json; charset=utf-8"})
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return answer.status, "", 0
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "")
            # Slack's words for an error are like no_service; what a proxy answers is none, and may hold the address.
            word = re.fullmatch(r"[a-z]+(_[a-z]+)+", error.read(60).decode(errors="replace"))
            why = f"HTTP {error.code} {word[0]}" if word else f"HTTP {error.code}"
            return error.code, why, float(wait) if wait.isdigit() else 0
        except (OSError, ValueError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            return 0, f"no answer ({type(cause if isinstance(cause, Exception) else error).__name__})", 0


_known: dict[str, str] = {}


def webhook_address(secret: str) -> Callable[[bool], str]:
    """Reads the webhook's address, once for all calls of the process unless asked for anew."""

    def read(anew: bool) -> str:
        if anew or secret not in _known:
            try:
                found = boto3.client("secretsmanager", config=PATIENT).get_secret_value(SecretId=secret)
            except (BotoCoreError, ClientError) as error:
                raise NotDelivered(f"the secret {secret} can't be read: {error}") from None
            address = str(found.get("SecretString", "")).strip()
            if not ADDRESS.fullmatch(address):
                raise NotDelivered(f"the secret {secret} must hold the webhook's address, https://…, and nothing else")
            _known[secret] = address
        return _known[secret]

    return read


def has_told(build: Mapping[str, Any], bucket: str) -> bool:
    """Whether the bake of a failed build has said so itself: its result is among the build's artifacts."""
    key = f"builds/{str(build['build-id']).rsplit(':', 1)[-1]}/bake/result.json"
    try:
        found = boto3.client("s3", config=PATIENT).get_object(Bucket=bucket, Key=key)["Body"].read()
        return bool(build["build-status"] == "FAILED" and json.loads(found).get("result") == "failed")
    except (BotoCoreError, ClientError, ValueError, AttributeError) as error:
        print(f"no result of the bake in {key} ({type(error).__name__})")
        return False


def payload_of(notice: Mapping[str, Any], settings: Mapping[str, str]) -> Payload | None:
    """What is said of an SNS message; None where somebody has said it already."""
    text = notice["Message"]
    try:
        message = json.loads(text)
        if message.get("detail-type") == "CodeBuild Build State Change":
            build = message["detail"]
            return None if has_told(build, settings["BUCKET"]) else of_build(build, settings["APP"])
        if message.get("schema") == 1 and message.get("result"):
            return of_bake(message, settings["APP"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"a message of another shape is passed on as text ({type(error).__name__})")
    return of_text(notice.get("Subject"), text)


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: a message of the topic.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    webhook = Webhook(webhook_address(os.environ["WEBHOOK_SECRET"]))
    for record in event["Records"]:
        notice = record["Sns"]
        payload = payload_of(notice, os.environ)
        if payload is None:
            print(f"message {notice['MessageId']}: the bake has told it")
            continue
        tries = webhook.post(payload, context.get_remaining_time_in_millis)
        print(f"message {notice['MessageId']}: Slack has it, try {tries}")
