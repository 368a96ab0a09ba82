# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's lists, recorded when they are first asked for, and served in pages of the size that the client wants.

moto makes a list anew for every page: of 50,000 images that takes longer than any client. Nothing changes while it is
served, so what was said once holds.
"""

from __future__ import annotations

import re
import threading
import typing as t
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree

from werkzeug.wrappers import Response

from tests.lab.retention.emulator import LISTS, UNPAGED, Front

if t.TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


@dataclass(frozen=True)
class Recording:
    """One list: its items, and the answer before and after them."""

    before: bytes
    items: list[bytes]
    after: bytes
    token: str

    @classmethod
    def of(cls, whole: bytes, name: str, token: str) -> Recording:
        """Takes a list apart; clients look at no namespace, and moto's own token is not theirs."""
        root = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", whole, count=1))
        for parent in root.iter():
            for own in parent.findall(token):
                parent.remove(own)
        found = next((one for one in root.iter(name)), None)
        items = [] if found is None else [ElementTree.tostring(item) for item in found]
        if found is not None:
            found.clear()
            found.text = "ITEMS"
        before, _, after = ElementTree.tostring(root).partition(b"ITEMS")
        return cls(before, items, after, token)

    def page(self, start: int, size: int) -> bytes:
        page = self.before + b"".join(self.items[start : start + size]) + self.after
        if start + size >= len(self.items):
            return page
        list_ends = self.after[: self.after.index(b">") + 1]
        token = f"<{self.token}>{start + size}</{self.token}>".encode()
        return page.replace(list_ends, list_ends + token, 1)


class RecordedFront(Front):
    """The front with a memory. A list that is asked for without a page size comes as a whole: that helps the client."""

    def __init__(self) -> None:
        super().__init__(page=UNPAGED)
        self._lists: dict[str, Recording] = {}
        self._answers: dict[tuple[str, str, str], Response] = {}
        self._recording = threading.Lock()

    def listed(
        self, action: str, parameters: dict[str, str], environ: WSGIEnvironment, start: int, size: int
    ) -> Response:
        key = urlencode(sorted(parameters.items()))
        with self._recording:
            if key not in self._lists:
                whole = self.whole(action, parameters, environ)
                if whole.status_code != 200:
                    return whole
                self._lists[key] = recording = Recording.of(whole.get_data(), *LISTS[action])
                while more := _next_token(whole):
                    whole = self.whole(action, {**parameters, "NextToken": more}, environ)
                    recording.items.extend(Recording.of(whole.get_data(), *LISTS[action]).items)
        return Response(self._lists[key].page(start, size), content_type="text/xml")

    def answer(self, environ: WSGIEnvironment, text: str) -> Response:
        key = (environ["PATH_INFO"], environ.get("HTTP_X_AMZ_TARGET", ""), text)
        if self.serves_recordings and (known := self._answers.get(key)):
            return known
        answer = super().answer(environ, text)
        if self.serves_recordings and answer.status_code == 200:
            answer.make_sequence()  # it can be sent again then
            self._answers[key] = answer
        return answer

    serves_recordings = False
    """Whether all answers are remembered, not only lists: once the account is complete."""


def _next_token(whole: Response) -> str:
    """Where moto itself gives a list in pages, as of Auto Scaling."""
    found = re.search(rb"<[nN]extToken>([^<]+)</", whole.get_data())
    return found[1].decode() if found else ""
