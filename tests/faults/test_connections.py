"""Idle connections."""

from __future__ import annotations

import aiohttp
import anyio
import pytest

from dify_async import AsyncDifyServer, Event, RequestAnswered, RequestStarted
from dify_async.testing import FakeDifyServer
from tests.support import an_app, client, until


@pytest.mark.parametrize("change", [False, True], ids=["GET", "POST"])
async def test_the_first_call_after_a_pause(version: str, *, change: bool) -> None:
    """Dify's gunicorn closes connections that are idle for 2.0 s; the fake, for 0.2 s."""
    seen: list[Event] = []
    async with (
        FakeDifyServer(version, keep_alive=0.2) as fake,
        client(fake, on_event=seen.append) as dify,
    ):
        await dify.profile()  # a machine that stands still may need a retry here
        connector = _connector(dify)
        await until(lambda: not any(_is_open(held) for held in connector._conns.values()))
        seen.clear()
        await (dify.init_app_api_key(an_app(fake)) if change else dify.profile())
        assert [type(event) for event in seen] == [RequestStarted, RequestAnswered]
        assert fake.connections_opened > 1


async def test_no_idle_connection_is_kept_for_long() -> None:
    """An idle connection takes one of the 10 that a gunicorn worker serves, which browsers need too."""
    async with FakeDifyServer(keep_alive=3600) as fake, client(fake) as dify:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(dify.profile)
        connector = _connector(dify)
        assert any(connector._conns.values())
        await until(lambda: not any(connector._conns.values()))
        await dify.profile()


async def test_8_requests_at_once_by_default(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Two of gunicorn's 10 connections are left for browsers."""
    await dify.profile()
    fake.inject("/account/*", delay=0.05)
    async with anyio.create_task_group() as group:
        for _ in range(24):
            group.start_soon(dify.profile)
    assert fake.peak_requests == 8
    assert fake.connections_opened <= 9


def _connector(dify: AsyncDifyServer) -> aiohttp.BaseConnector:
    session = dify._transport._session
    assert session is not None
    assert session.connector is not None
    return session.connector


def _is_open(held: object) -> bool:
    return any(protocol.is_connected() for protocol, _ in held)  # type: ignore[attr-defined]  # aiohttp's own
