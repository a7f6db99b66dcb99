"""Settings, headers, lists and keys for the tests of the client."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from dify_async import ApiKey, AsyncDifyServer
from dify_async._http.failures import FailedAttempt, FailureKind
from dify_async.testing import FakeDifyServer
from tests.support import put_messages

T = TypeVar("T")

URL = "https://dify.example.com"
ACCOUNT: dict[str, Any] = {"email": "ops@example.com", "password": "hunter2"}
KEY: dict[str, Any] = {"admin_api_key": "hunter2", "workspace_id": "w"}
SECRET = "s3cret-of-a-gateway"
HEADERS = {"CF-Access-Client-Id": "robot", "CF-Access-Client-Secret": SECRET}
GATEWAY = {"Authorization": "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()}
DAY = date(2026, 11, 5)


def sent(fake: FakeDifyServer, name: str) -> set[str | None]:
    """The values of a header in all requests; None if one lacks it."""
    assert fake.requests
    return {request.headers.get(name) for request in fake.requests}


def busy(fake: FakeDifyServer, mode: str) -> str:
    """An app with three messages: two in the same minute of DAY, and one at the next midnight."""
    app = next(one.id for one in fake.apps if one.mode == mode and one.messages_per_day)
    moments = [datetime(2026, 11, 5, 23, minute, 30, tzinfo=UTC) for minute in (58, 59)]
    put_messages(fake, app, [*moments, datetime(2026, 11, 6, tzinfo=UTC)])
    return app


def tokens(fake: FakeDifyServer, app: str) -> list[str]:
    """The keys that the server accepts, oldest first."""
    return [key.token for key in fake._state.keys[app]]


async def created(dify: AsyncDifyServer, app: str, count: int) -> list[ApiKey]:
    return [await dify.create_app_api_key(app) for _ in range(count)]


async def rows_of(rows: AsyncIterable[T]) -> list[T]:
    return [row async for row in rows]


def failed_attempt(kind: FailureKind, call: str, *, changes: bool, proxy: str = "") -> FailedAttempt:
    """A request that failed on the way to https://host/dify."""
    return FailedAttempt(
        kind=kind,
        call=call,
        base_url="https://host/dify",
        server="host:443",
        changes=changes,
        may_be_sent=True,
        has_answered=False,
        proxy=proxy,
        timeout=1.0,
        connect_timeout=1.0,
        ssl_argument="ssl=",
        peer=proxy.partition("://")[2] or "host:443",
    )
