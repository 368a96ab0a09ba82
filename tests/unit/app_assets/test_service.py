# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx gets for an asset that the image lacks: the bucket's, or a refusal soon."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from roles.app_units.files.app_assets import bucket as bucket_module
from roles.app_units.files.app_assets.breaker import FAILURES, REST_SECONDS, Breaker
from roles.app_units.files.app_assets.bucket import Bucket, NotKept, Unreachable, key_of
from roles.app_units.files.app_assets.server import AT_ONCE
from tests.unit.app_assets.conftest import Get, Store

PATH = "/assets/x-12345678.css"
KEY = f"/assets/public{PATH}"


def test_an_asset_comes_with_its_content_and_none_of_the_buckets_own_headers(store: Store, get: Get) -> None:
    own = {"x-amz-request-id": "1", "x-amz-server-side-encryption": "AES256", "Server": "AmazonS3"}
    store.answers[KEY] = (200, {"Content-Type": "text/css", "ETag": '"e"', **own}, b"a { }")
    answer = get(PATH)
    assert (answer.status, answer.body) == (200, b"a { }")
    assert answer.headers.pop("Date")
    assert answer.headers == {"Server": "assets", "Content-Type": "text/css", "Content-Length": "5", "ETag": '"e"'}


def test_the_query_of_a_url_is_no_part_of_the_key(store: Store, get: Get) -> None:
    store.answers[KEY] = (200, {}, b"a")
    assert get(f"{PATH}?v=1").status == 200


@pytest.mark.parametrize("status", [404, 403, 400, 301])
def test_what_is_not_kept_is_404_and_asked_for_once(status: int, store: Store, get: Get) -> None:
    store.answers[KEY] = (status, {"Location": "http://example.com/"}, b"<Error><Code>X</Code></Error>")
    assert (get(PATH).status, store.asked) == (404, [KEY])


def test_a_refusal_that_teaches_something_is_asked_about_once_more(store: Store, get: Get) -> None:
    store.answers[KEY] = (400, {}, b"<Error><Code>ExpiredToken</Code></Error>")
    store.retry = True
    assert (get(PATH).status, store.asked) == (503, [KEY, KEY])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_error_that_may_pass_is_asked_about_once_more(status: int, store: Store, get: Get) -> None:
    store.answers[KEY] = (status, {}, b"")
    assert (get(PATH).status, store.asked) == (503, [KEY, KEY])


def test_a_bucket_that_resets_connections_is_left_alone_after_a_few_requests(store: Store, get: Get) -> None:
    store.down = True
    assert [get(PATH).status for _ in range(FAILURES)] == [503] * FAILURES
    asked = len(store.asked)
    store.down = False
    store.answers[KEY] = (200, {}, b"a")
    assert (get(PATH).status, len(store.asked)) == (503, asked)


def test_a_bucket_that_does_not_answer_is_given_up_soon(
    store: Store, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "SECONDS", 0.05)
    store.hold = threading.Event()
    assert get(PATH).status == 503


def test_who_asks_for_too_much_at_once_is_refused_at_once(store: Store, get: Get) -> None:
    store.hold = threading.Event()
    store.answers[KEY] = (200, {}, b"a")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(get, PATH) for _ in range(AT_ONCE)]
        while len(store.asked) < AT_ONCE:
            assert not any(each.done() for each in waiting)
        assert get(PATH).status == 503
        store.hold.set()
        assert [each.result().status for each in waiting] == [200] * AT_ONCE


def test_a_body_that_breaks_off_is_seen_by_its_length(store: Store, get: Get) -> None:
    store.answers[KEY] = (200, {"Content-Length": "10"}, b"a")
    with pytest.raises(http.client.IncompleteRead):
        get(PATH)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret-12345678.css",
        "/assets/%2e%2e/x-12345678.css",
        "/assets//x.css",
        "/a%00b",
        "x",
        "/" + "a" * 1000,
    ],
)
def test_a_path_that_no_asset_has_is_not_asked_for(path: str) -> None:
    with pytest.raises(NotKept):
        key_of(path)


def test_a_server_without_a_bucket_keeps_nothing() -> None:
    with pytest.raises(NotKept, match="no bucket"), Bucket(lambda: None, ()).open(PATH):
        pass


def test_a_metadata_service_that_does_not_answer_is_asked_again(store: Store) -> None:
    answers: list[Store | Exception] = [ValueError("no"), ValueError("no"), store]

    def find() -> Store:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    store.answers[KEY] = (200, {}, b"a")
    found = Bucket(find, (ValueError,))
    with pytest.raises(Unreachable, match="ValueError: no"), found.open(PATH):
        pass
    with found.open(PATH) as response:
        assert response.read() == b"a"


def test_the_breaker_rests_after_failures_in_a_row_and_closes_with_a_success() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    assert [breaker.failed() for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]
    assert breaker.open()
    now[0] += REST_SECONDS
    assert not breaker.open()
    assert breaker.failed() and breaker.open()
    now[0] += REST_SECONDS
    breaker.worked()
    assert not breaker.failed() and not breaker.open()
