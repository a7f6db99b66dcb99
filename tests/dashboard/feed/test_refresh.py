"""Refreshes of a feed: one for any number of readers, in the background, and while the server is down."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DashboardFeed, DifyConfigError, DifyError, DifyServerError, Snapshot
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM, nothing_left_behind
from tests.support import ONCE, an_app, client, until


@pytest.mark.calendar
async def test_one_refresh_for_any_number_of_readers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM) as feed:
        first = await asyncio.gather(*(feed.get() for _ in range(50)))
        assert all(one is first[0] for one in first)
        assert fake.count("GET", "/apps") == 1
        assert first[0].dashboard == await dify.dashboard()
        asked = len(fake.requests)
        await asyncio.gather(*(feed.get() for _ in range(50)))
        assert len(fake.requests) == asked
        again = await asyncio.gather(*(feed.refresh() for _ in range(50)))
        assert fake.count("GET", "/apps") == 3
        assert all(one is again[0] for one in again)
        assert again[0] is not first[0]
        assert feed.latest is again[0]


@pytest.mark.calendar
async def test_the_latest_dashboard_stays_while_the_server_is_down(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify, DashboardFeed(dify, SELDOM) as feed:
        good = await feed.get()
        assert good.error is None
        down = fake.inject("/apps", cut="before")
        stale = await feed.refresh()
        assert stale.dashboard is good.dashboard
        assert stale.fetched_at == good.fetched_at
        assert isinstance(stale.error, DifyError)
        assert await feed.get() is stale
        assert 0 < good.age <= stale.age
        down.remove()
        # The server goes down after the list: no dashboard either.
        behind = fake.inject("*/statistics/*", status=500)
        stale = await feed.refresh()
        assert stale.dashboard is good.dashboard
        assert isinstance(stale.error, DifyServerError)
        behind.remove()
        # If one app fails, the others are refreshed.
        fake.inject(f"/apps/{an_app(fake)}/statistics/daily-messages", status=500)
        partial = await feed.refresh()
        assert partial.error is None
        assert len(partial.dashboard.errors) == 1
        assert partial.fetched_at > good.fetched_at


@pytest.mark.parametrize(("failed", "is_refreshed"), [(1, True), (2, True), (3, False), (4, False)])
async def test_a_refresh_fails_if_more_than_half_of_the_apps_fail(failed: int, *, is_refreshed: bool) -> None:
    async with (
        FakeDifyServer(apps=4) as fake,
        client(fake, retry=ONCE) as dify,
        DashboardFeed(dify, SELDOM) as feed,
    ):
        good = await feed.get()
        for app in fake.apps[:failed]:
            fake.inject(f"/apps/{app.id}/*", status=500)
        snapshot = await feed.refresh()
        if is_refreshed:
            assert snapshot.error is None
            assert {error.app_id for error in snapshot.dashboard.errors} == {
                app.id for app in fake.apps[:failed]
            }
        else:
            assert isinstance(snapshot.error, DifyServerError)
            assert snapshot.dashboard is good.dashboard


async def test_errors_are_raised_before_the_first_dashboard(fake: FakeDifyServer) -> None:
    down = fake.inject("/apps", status=503)
    async with client(fake, retry=ONCE) as dify, DashboardFeed(dify, SELDOM) as feed:
        for _ in range(3):
            with pytest.raises(DifyServerError):
                await feed.get()
        # Readers send no requests in the meantime.
        assert fake.count("GET", "/apps") == 1
        assert feed.latest is None
        down.remove()
        assert (await feed.refresh()).error is None


async def test_an_outage_is_logged_once(fake: FakeDifyServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not at each refresh, but again if the reason changes or after a recovery."""
    caplog.set_level("INFO", "dify_async")
    async with client(fake, retry=ONCE) as dify, DashboardFeed(dify, SELDOM) as feed:
        await feed.get()
        for status in (500, 403, None, 403):
            fake.remove_faults()
            if status is not None:
                fake.inject("/apps", status=status)
            for _ in range(3):
                await feed.refresh()
    found = [text for one in caplog.records if "refreshing" in (text := one.getMessage())]
    assert [re.sub(r"(: \d+).*", r"\1", text) for text in found] == [
        "refreshing the dashboard failed: GET /apps: 500",
        "refreshing the dashboard failed: GET /apps: 403",
        "refreshing the dashboard works again",
        "refreshing the dashboard failed: GET /apps: 403",
    ]


async def test_it_refreshes_in_the_background_and_readers_can_iterate(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify:
        seen: list[Snapshot] = []

        async def read() -> None:
            async for snapshot in feed:
                seen.append(snapshot)  # noqa: PERF401 - as users do it

        async with DashboardFeed(dify, 0.05, metrics=["daily_messages"]) as feed:
            reading = asyncio.create_task(read())
            await until(lambda: len(seen) >= 4)
            fake.inject("/apps", status=503)
            await until(lambda: seen[-1].error is not None)
        await reading
        assert seen[-1].error is not None
        assert len({snapshot.fetched_at for snapshot in seen}) >= 4


async def test_it_closes_immediately_and_leaves_nothing_behind(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.login()
    fake.inject("*/statistics/*", delay=30.0)
    with nothing_left_behind():
        async with DashboardFeed(dify, SELDOM) as feed:
            await until(lambda: fake.count("GET", "*/statistics/*") > 0)
            waiting = asyncio.create_task(feed.get())
            await asyncio.sleep(0)
        with pytest.raises(DifyError, match="closed"):
            await waiting
        assert dify._limiter.taken == 0
    with pytest.raises(DifyError, match="async with"):
        await feed.get()
    with pytest.raises(DifyError, match="async with"):
        await feed.refresh()


async def test_a_cancelled_reader_does_not_cancel_the_refresh(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    fake.inject("/apps", delay=0.2, times=1)
    async with DashboardFeed(dify, SELDOM) as feed:
        reader = asyncio.create_task(feed.get())
        await until(lambda: fake.count("GET", "/apps") == 1)
        reader.cancel()
        await feed.get()
        assert fake.count("GET", "/apps") == 1
        with pytest.raises(DifyError, match="already open"):
            await feed.__aenter__()


async def test_it_can_be_reopened(dify: AsyncDifyServer) -> None:
    feed = DashboardFeed(dify, SELDOM, metrics=["daily_messages"])
    for _ in range(2):
        async with feed:
            assert (await feed.get()).error is None


@pytest.mark.parametrize("interval", [0, -1, float("inf"), float("nan"), True, "60", None])
async def test_invalid_intervals(dify: AsyncDifyServer, interval: Any) -> None:
    with pytest.raises(DifyConfigError, match="interval"):
        DashboardFeed(dify, interval)


async def test_wrong_arguments_are_rejected_immediately(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError):
        DashboardFeed(dify, apps="one")
    with pytest.raises(DifyConfigError):
        DashboardFeed(dify, metrics=["nonsense"])  # type: ignore[list-item]


@pytest.mark.parametrize("dify", ["http://127.0.0.1", None, AsyncDifyServer])
async def test_a_feed_needs_a_client(dify: Any) -> None:
    with pytest.raises(DifyConfigError, match="dify must be an AsyncDifyServer, got "):
        DashboardFeed(dify)
