"""The on_event hook."""

from __future__ import annotations

import logging
from collections import Counter

import anyio
import pytest

from dify_async import (
    DifyConnectionError,
    Event,
    RequestAnswered,
    RequestEvent,
    RequestFailed,
    RequestRetried,
    RequestStarted,
    RetryPolicy,
    SessionRefreshed,
    StoreDown,
    StoredValue,
    StoreUp,
)
from dify_async._auth import fallback_store
from dify_async.testing import FakeDifyServer
from tests.client.test_secrets import secrets_in
from tests.support import EACH_ERA, ONCE, an_app, client, until


async def test_a_call_from_its_start_to_its_answer(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append) as dify:
        await dify.app(an_app(fake))
    assert [
        (type(event), event.method, event.route) for event in seen if isinstance(event, RequestEvent)
    ] == [
        (RequestStarted, "GET", "/system-features"),
        (RequestAnswered, "GET", "/system-features"),
        (RequestStarted, "POST", "/login"),
        (RequestAnswered, "POST", "/login"),
        (RequestStarted, "GET", "/apps/{}"),
        (RequestAnswered, "GET", "/apps/{}"),
    ]
    assert SessionRefreshed("password") in seen
    answered = seen[-1]
    assert isinstance(answered, RequestAnswered)
    assert (answered.status, answered.attempt) == (200, 1)
    assert f"http://{answered.host}:{answered.port}" == fake.base_url
    assert 0 < answered.seconds < 10


async def test_repeats_and_failures(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append) as dify:
        await dify.profile()
        seen.clear()
        fake.inject("/account/*", cut="before", times=1)
        fake.inject("/account/*", status=503, times=1)
        await dify.profile()
    shown = [(type(event), event.attempt) for event in seen if isinstance(event, RequestEvent)]
    assert shown == [
        (RequestStarted, 1),
        (RequestFailed, 1),
        (RequestRetried, 2),
        (RequestStarted, 2),
        (RequestAnswered, 2),
        (RequestRetried, 3),
        (RequestStarted, 3),
        (RequestAnswered, 3),
    ]
    assert len({event.call for event in seen if isinstance(event, RequestEvent)}) == 1
    (failed,) = (event for event in seen if isinstance(event, RequestFailed))
    assert failed.error == "DifyConnectionError"


@EACH_ERA
async def test_a_renewal(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        await dify.profile()
    assert [event for event in seen if isinstance(event, SessionRefreshed)] == [
        SessionRefreshed("password"),
        SessionRefreshed("refresh_token"),
    ]


async def test_a_cancelled_request_ends_too(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append) as dify:
        await dify.profile()
        fake.inject("/account/*", delay=5.0)
        with anyio.move_on_after(0.05):
            await dify.profile()
    counts = Counter(type(event) for event in seen)
    assert counts[RequestStarted] == counts[RequestAnswered] + counts[RequestFailed]
    failed = seen[-1]
    assert isinstance(failed, RequestFailed)
    assert failed.error == "CancelledError"


class FailingStore:
    """A store that can be turned off."""

    def __init__(self) -> None:
        self.works = False

    async def load(self, key: str) -> StoredValue | None:
        self._check(key)
        return None

    async def save(self, key: str, value: StoredValue, /) -> None:  # noqa: ARG002 - of the protocol
        self._check(key)

    async def clear(self, key: str) -> None:
        self._check(key)

    def lock(self, key: str) -> anyio.Lock:
        self._check(key)
        return anyio.Lock()

    def _check(self, key: str) -> None:
        if not self.works:
            raise ConnectionError(key)


async def test_an_outage_of_the_store(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.02)
    seen: list[Event] = []
    store = FailingStore()
    async with client(fake, token_store=store, on_event=seen.append) as dify:
        for _ in range(3):
            await dify.profile()
            fake.expire_access_tokens()
        store.works = True
        await until(lambda: StoreUp() in seen)
    assert [event for event in seen if isinstance(event, StoreDown | StoreUp)] == [
        StoreDown("ConnectionError"),
        StoreUp(),
    ]


async def test_a_hook_that_fails_harms_nothing(
    fake: FakeDifyServer, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise ValueError(event)

    async with client(fake, on_event=fail) as dify:
        await dify.profile()
        assert dify._limiter.taken == 0
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(failures) == 7
    assert failures[0].getMessage() == "on_event raised an exception for RequestStarted"


@EACH_ERA
async def test_no_event_holds_a_secret_or_an_id(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append, retry=ONCE) as dify:
        (key,) = await dify.init_app_api_key(an_app(fake))
        await dify.delete_app_api_key(an_app(fake), key.id)
        fake.inject("/apps*", cut="before")
        with pytest.raises(DifyConnectionError):
            await dify.apps(name="who is asked for")
        with pytest.raises(DifyConnectionError):
            await dify.init_app_api_key(an_app(fake))
    shown = repr(seen)
    assert secrets_in(shown, fake) == []
    for text in (key.id, an_app(fake), "who", fake.email):
        assert text not in shown


async def test_a_hook_sees_one_attempt_where_the_policy_has_one(fake: FakeDifyServer) -> None:
    seen: list[Event] = []
    async with client(fake, on_event=seen.append, retry=RetryPolicy(attempts=1)) as dify:
        await dify.profile()
        fake.inject("/account/*", cut="before")
        with pytest.raises(DifyConnectionError):
            await dify.profile()
    assert not any(isinstance(event, RequestRetried) for event in seen)
