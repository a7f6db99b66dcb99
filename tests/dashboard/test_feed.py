"""The dashboard feed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from dify_async import (
    AsyncDifyServer,
    DailyMessages,
    DashboardFeed,
    DifyConfigError,
    DifyError,
    DifyServerError,
    Metric,
    Snapshot,
)
from dify_async._times import Span
from dify_async.dashboard.history import History
from dify_async.dashboard.period import midnight
from dify_async.statistics.metrics import Row
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, an_app, client, until

SELDOM = 3600.0

pytestmark = pytest.mark.calendar


@pytest.fixture
async def fake() -> Any:
    async with FakeDifyServer(apps=5) as fake:
        yield fake


def ranges(fake: FakeDifyServer) -> set[str]:
    return {request.query for request in fake.requests if "/statistics/" in request.path}


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


async def test_past_days_are_fetched_once(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM, days=30, compare=True) as feed:
        first = await feed.get()
        today = first.dashboard.period.days[-1]
        end = f"end={today + timedelta(days=1)}%2000%3A00"
        assert ranges(fake) == {f"start={today - timedelta(days=59)}%2000%3A00&{end}"}
        fake.reset_counters()
        second = await feed.refresh()
        if second.dashboard.period != first.dashboard.period:
            pytest.skip("midnight has passed")
        # All numbers are unchanged, including averages and totals.
        assert second.dashboard == first.dashboard
        assert ranges(fake) == {f"start={today - timedelta(days=2)}%2000%3A00&{end}"}
        fake.reset_counters()
        await feed.refresh(all_days=True)
        assert ranges(fake) == {f"start={today - timedelta(days=59)}%2000%3A00&{end}"}
        # All days of a new app are fetched, and a deleted app is dropped.
        new = fake.add_app("New", "chat")
        fake.apps.remove(fake.apps[0])
        fake.reset_counters()
        third = await feed.refresh()
        whole = {r.path.split("/")[2] for r in fake.requests if f"{today - timedelta(days=59)}" in r.query}
        assert whole == {new.id}
        assert third.dashboard == await dify.dashboard(compare=True)


async def test_a_deleted_app_is_dropped(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM, metrics=["daily_messages"]) as feed:
        first = (await feed.get()).dashboard.period.days[0]
        app = fake.apps[0]
        fake.apps.remove(app)
        await feed.refresh()
        fake.apps.append(app)
        fake.reset_counters()
        await feed.refresh()
        queries = [request.query for request in fake.requests if app.id in request.path]
        assert queries
        assert all(query.startswith(f"start={first}%20") for query in queries)


async def test_a_new_time_zone_fetches_all_days(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM) as feed, client(fake) as other:
        await feed.get()
        await other.set_timezone("Asia/Tokyo")
        dify._zone = None  # five minutes later
        fake.reset_counters()
        moved = await feed.refresh()
        assert moved.dashboard.period.zone == "Asia/Tokyo"
        assert moved.dashboard == await dify.dashboard()
        first = moved.dashboard.period.days[0]
        assert all(query.startswith(f"start={first}") for query in ranges(fake))


async def test_history_over_several_days() -> None:
    """Yesterday's rows are fetched again today, and kept from then on."""
    asked: list[tuple[date, date]] = []
    day = date(2026, 3, 1)
    rows = {day + timedelta(days=n): DailyMessages(day + timedelta(days=n), n) for n in range(60)}

    async def get(span: Span, _: Metric, __: str) -> list[Row]:
        first, end = (date.fromisoformat(str(bound)[:10]) for bound in (span.start, span.end))
        asked.append((first, end))
        return [row for day, row in rows.items() if first <= day < end]

    history = History()

    async def rows_of(today: date, days: int, zone: str = "Europe/Berlin") -> list[Row]:
        first, end = today - timedelta(days=days - 1), midnight(today + timedelta(days=1))
        return list(await history.reader(get, first, end, today, ZoneInfo(zone))(Metric.DAILY_MESSAGES, "a"))

    def expected(today: date, days: int) -> list[Row]:
        return [rows[today - timedelta(days=n)] for n in range(days - 1, -1, -1)]

    today = day + timedelta(days=20)
    assert await rows_of(today, 10) == expected(today, 10)
    for later in (0, 1, 2, 8, 30):
        now = today + timedelta(days=later)
        rows[now - timedelta(days=1)] = DailyMessages(now - timedelta(days=1), 1000 + later)
        assert await rows_of(now, 10) == expected(now, 10), later
    # Since the first day that was not past at the last refresh; all days after a long gap.
    firsts = [first for first, _ in asked]
    assert firsts == [
        today - timedelta(days=9),
        today - timedelta(days=2),
        today - timedelta(days=2),
        today - timedelta(days=1),
        today,
        today + timedelta(days=21),
    ]
    assert await rows_of(today, 20) == expected(today, 20)  # a longer range, and an earlier day
    assert asked[-1][0] == today - timedelta(days=19)
    assert await rows_of(today, 1) == expected(today, 1)
    await rows_of(today, 20, "Asia/Tokyo")
    assert asked[-1][0] == today - timedelta(days=19)


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


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    assert [task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)] == []


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


def listings(fake: FakeDifyServer) -> int:
    """How often the apps were listed: once per refresh."""
    return fake.count("GET", "/apps")


async def test_all_days_for_any_number_of_callers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM, days=7) as feed:
        first = await feed.get()
        day = first.dashboard.period.days[0]
        fake.reset_counters()
        found = await asyncio.gather(*(feed.refresh(all_days=True) for _ in range(20)))
        assert listings(fake) == 1
        assert all(one is found[0] for one in found)
        assert all(f"start={day}" in one for one in ranges(fake))


async def test_all_days_during_another_refresh(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """A refresh of all days follows the running one, and all callers share it."""
    async with DashboardFeed(dify, SELDOM, days=7) as feed:
        day = (await feed.get()).dashboard.period.days[0]
        fake.reset_counters()
        fake.inject("/apps", delay=0.2, times=2)
        async with anyio.create_task_group() as group:
            group.start_soon(feed.refresh)
            await until(lambda: listings(fake) == 1)
            for _ in range(20):
                group.start_soon(partial(feed.refresh, all_days=True))
            await until(lambda: listings(fake) == 2)
            assert not any(f"start={day}" in one for one in ranges(fake))
            fake.inject("/apps/*/statistics/*", delay=0.1)
            for _ in range(20):
                group.start_soon(feed.refresh)
                group.start_soon(partial(feed.refresh, all_days=True))
        assert listings(fake) == 2
        assert any(f"start={day}" in one for one in ranges(fake))
        # The next refresh does not fetch past days again.
        fake.reset_counters()
        await feed.refresh()
        assert not any(f"start={day}" in one for one in ranges(fake))


async def test_callers_cancelled_before_the_refresh_of_all_days(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A refresh without waiting callers is not started."""
    async with DashboardFeed(dify, SELDOM, days=7) as feed:
        await feed.get()
        fake.reset_counters()
        fake.inject("/apps", delay=0.2, times=1)
        reader = asyncio.create_task(feed.refresh())
        await until(lambda: listings(fake) == 1)
        callers = [asyncio.create_task(feed.refresh(all_days=True)) for _ in range(20)]
        await asyncio.sleep(0)
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        await reader
        assert not feed._flight.is_running
        assert listings(fake) == 1
        assert feed._want_all_days == set()


async def test_closing_while_callers_wait_for_all_days(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.login()
    fake.inject("/apps", delay=30.0)
    with nothing_left_behind():
        async with DashboardFeed(dify, SELDOM) as feed:
            await until(lambda: listings(fake) == 1)
            callers = [asyncio.create_task(feed.refresh(all_days=True)) for _ in range(5)]
            await asyncio.sleep(0)
        await asyncio.wait(callers)
        assert all(isinstance(caller.exception(), DifyError) for caller in callers)


async def test_all_days_is_not_starved_by_readers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async with DashboardFeed(dify, SELDOM, days=7) as feed:
        day = (await feed.get()).dashboard.period.days[0]

        async def read_on() -> None:
            while True:
                await feed.refresh()

        fake.reset_counters()
        readers = [asyncio.create_task(read_on()) for _ in range(3)]
        await until(lambda: listings(fake) == 1)
        await feed.refresh(all_days=True)
        assert any(f"start={day}" in one for one in ranges(fake))
        assert listings(fake) <= 4
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)


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
