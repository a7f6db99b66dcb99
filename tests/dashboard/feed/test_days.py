"""The days that a feed requests: past days once, unless a refresh of all days is wanted."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import anyio
import pytest

from dify_async import AsyncDifyServer, DailyMessages, DashboardFeed, DifyError, Metric
from dify_async._times import Span
from dify_async.dashboard.history import History
from dify_async.dashboard.period import midnight
from dify_async.statistics.metrics import Row
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM, listings, nothing_left_behind, ranges
from tests.support import client, until


@pytest.mark.calendar
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


@pytest.mark.calendar
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


@pytest.mark.calendar
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


@pytest.mark.calendar
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


@pytest.mark.calendar
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
