"""Repeated and skipped midnights: no hour is lost or counted twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dify_async import (
    AsyncDifyServer,
    DailyMessages,
    DashboardFeed,
    DifyConfigError,
    Metric,
    When,
)
from dify_async._times import Span, instant, span_of
from dify_async.dashboard.history import History
from dify_async.dashboard.period import checked_range, on_clock, period_before, period_of
from dify_async.statistics.metrics import Row
from dify_async.testing import FakeDifyServer
from tests.support import JSON, an_app, client, put_messages

DAY = timedelta(days=1)
HAVANA, AZORES = ZoneInfo("America/Havana"), ZoneInfo("Atlantic/Azores")
REPEATED = {
    "America/Havana": date(2026, 11, 1),
    "Atlantic/Azores": date(2026, 10, 25),
    "America/Scoresbysund": date(2023, 10, 29),
    "Asia/Amman": date(2021, 10, 29),
    "Asia/Gaza": date(2021, 10, 29),
    "Antarctica/Casey": date(2020, 3, 8),  # three hours
    "America/St_Johns": date(2010, 11, 7),  # from 00:01 back to 23:01 of the day before
}
SKIPPED = {
    "America/Havana": date(2026, 3, 8),
    "Atlantic/Azores": date(2026, 3, 29),
    "Asia/Beirut": date(2026, 3, 29),
    "America/Asuncion": date(2023, 10, 1),
    "Africa/Cairo": date(2026, 4, 24),
    "America/Santiago": date(2026, 9, 6),
    "Asia/Tehran": date(2022, 3, 22),
    "America/Paramaribo": date(1984, 10, 1),  # half an hour
    "Antarctica/Casey": date(2016, 10, 22),  # three hours
    "Pacific/Apia": date(2011, 12, 30),  # the whole day
}
# The hour before midnight occurs twice, midnight once.
LATE = {"Asia/Beirut": date(2026, 10, 25), "America/Santiago": date(2026, 4, 5)}
ODD_DAYS = [*REPEATED.items(), *SKIPPED.items(), *LATE.items()]


class Server:
    """A server's rules: bounds are in the account's time zone, and messages are counted by local day."""

    def __init__(
        self, zone: ZoneInfo, messages: Iterable[datetime], *, moves_by_an_hour: bool = True
    ) -> None:
        self.zone = zone
        self.messages = [(at, at.astimezone(zone).date()) for at in messages]
        self.moves_by_an_hour = moves_by_an_hour

    def read(self, text: str) -> datetime:
        """Ambiguous times are the later one; skipped times move by an hour [1.10.0], or by the gap."""
        naive = datetime.strptime(text, "%Y-%m-%d %H:%M")
        first, second = (naive.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second and self.moves_by_an_hour:
            moved = naive + timedelta(hours=1)
            first, second = (moved.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return max(first, second)

    def rows(self, start: str | None, end: str | None) -> list[DailyMessages]:
        low = None if start is None else self.read(start)
        high = None if end is None else self.read(end)
        found = Counter(
            day for at, day in self.messages if (low is None or low <= at) and (high is None or at < high)
        )
        return [DailyMessages(day, found[day]) for day in sorted(found)]

    def counted(self, start: When | None, end: When | None) -> dict[date, int]:
        """The rows that the client returns."""
        span = span_of(start, end, self.zone)
        return {row.date: row.message_count for row in span.rows_of(self.rows(span.start, span.end))}

    def expected(self, start: date, end: date) -> dict[date, int]:
        days = Counter(day for _, day in self.messages)
        return {day: days[day] for day in sorted(days) if start <= day < end}


def around(day: date, zone: ZoneInfo) -> list[datetime]:
    """A message every 15 minutes, from four days before to four days after."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
    return [noon + timedelta(minutes=15 * number + 0.5) for number in range(-384, 384)]


@pytest.mark.parametrize("version", ["1.9.1", "1.11.2"])
@pytest.mark.parametrize(("name", "odd"), ODD_DAYS)
def test_each_day_is_whole(name: str, odd: date, version: str) -> None:
    zone = ZoneInfo(name)
    server = Server(zone, around(odd, zone), moves_by_an_hour=version != "1.9.1")
    days = [odd + number * DAY for number in range(-2, 3)]
    for start, end in ((start, end) for start in days for end in days if start <= end):
        expected = server.expected(start, end)
        assert server.counted(start, end) == expected, (start, end)
        midnights = [datetime(one.year, one.month, one.day) for one in (start, end)]
        assert server.counted(*midnights) == expected
        assert server.counted(*(f"{one} 00:00" for one in (start, end))) == expected
    assert server.counted(None, odd) == server.expected(date.min, odd)
    assert server.counted(odd, None) == server.expected(odd, date.max)


@settings(max_examples=100, deadline=None)  # the first use of a zone reads a file
@given(
    zone=st.timezone_keys(allow_prefix=False).map(ZoneInfo),
    day=st.dates(date(2020, 1, 1), date(2037, 12, 1)),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
)
@example(zone=HAVANA, day=date(2030, 11, 3), before=0, after=1)
def test_every_zone_and_day(zone: ZoneInfo, day: date, before: int, after: int) -> None:
    """Adjacent days count each message once."""
    server = Server(zone, around(day, zone))
    start, end = day - before * DAY, day + after * DAY
    assert server.counted(start, end) == server.expected(start, end)
    days = [start + number * DAY for number in range(before + after + 1)]
    singles = [server.counted(*pair) for pair in pairwise(days)]
    assert sum((Counter(one) for one in singles), Counter()) == Counter(server.expected(start, end))


def test_ordinary_midnights_are_sent_unchanged() -> None:
    for zone in (HAVANA, None):
        span = span_of(date(2026, 10, 1), date(2026, 10, 31), zone)
        assert (span.start, span.end) == ("2026-10-01 00:00", "2026-10-31 00:00")
        rows = [DailyMessages(date(2026, 10, 31), 1)]
        assert span.rows_of(rows) is rows


def test_aware_bounds_distinguish_the_two_midnights() -> None:
    """The second midnight is within the day."""
    day = REPEATED["America/Havana"]
    server = Server(HAVANA, around(day, HAVANA))
    first = datetime(2026, 11, 1, tzinfo=HAVANA)
    second = first.replace(fold=1)
    assert instant(day, HAVANA) == instant(first, HAVANA) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert (
        instant(datetime(2026, 11, 1), HAVANA) == instant("2026-11-01 00:00", HAVANA) == instant(day, HAVANA)
    )
    assert instant(second, HAVANA) == datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert server.counted(first, day + DAY) == {day: 100}
    assert server.counted(first.astimezone(UTC), day + DAY) == {day: 100}
    assert server.counted(second, day + DAY) == {day: 96}
    assert server.counted(day - DAY, second) == {day - DAY: 96, day: 4}
    assert server.counted(day - DAY, first) == {day - DAY: 96}
    assert server.counted(first, first) == {}
    until = period_of(checked_range(start=day - DAY, end=second), HAVANA, datetime.now(UTC))
    assert until.days == (day - DAY, day)
    assert until.end.astimezone(UTC) == datetime(2026, 11, 1, 5, tzinfo=UTC)
    cut = period_of(checked_range(start=second, end=day + DAY), HAVANA, datetime.now(UTC))
    with pytest.raises(DifyConfigError, match="midnight"):  # the day would belong to both periods
        period_before(cut, HAVANA)


@pytest.mark.parametrize(("name", "odd"), ODD_DAYS)
def test_periods_and_previous_periods(name: str, odd: date) -> None:
    zone = ZoneInfo(name)
    server = Server(zone, around(odd, zone))
    for start in (odd - DAY, odd, odd + DAY):
        period = period_of(checked_range(start=start, days=2), zone, datetime.now(UTC))
        before = period_before(period, zone)
        assert before.end == period.start
        both = server.counted(on_clock(before)[0], on_clock(period)[1])
        assert both == server.expected(start - 2 * DAY, start + 2 * DAY)
        inside = [
            at for at, _ in server.messages if period.start.astimezone(UTC) <= at < period.end.astimezone(UTC)
        ]
        if name != "America/St_Johns":  # a day in two parts has no single start
            assert len(inside) == sum(server.expected(start, start + 2 * DAY).values())


@pytest.mark.parametrize(("name", "odd"), ODD_DAYS)
def test_history_on_the_following_days(name: str, odd: date) -> None:
    """Past days are kept, and the others are fetched from a repeated or skipped midnight on."""
    zone = ZoneInfo(name)
    server = Server(zone, around(odd, zone))
    history = History()

    async def get(span: Span, _: Metric, __: str) -> Sequence[Row]:
        return span.rows_of(server.rows(span.start, span.end))

    async def refresh(today: date) -> None:
        first, last = today - 4 * DAY, today + DAY
        end = datetime.combine(last, time.min)
        rows = await history.reader(get, first, end, today, zone)(Metric.DAILY_MESSAGES, "app")
        assert list(rows) == [DailyMessages(*row) for row in server.expected(first, last).items()]

    async def refreshed() -> None:
        for number in range(5):
            await refresh(odd + number * DAY)
            await refresh(odd + number * DAY)

    asyncio.run(refreshed())


ROUNDS = (
    ("America/Havana", date(2026, 11, 1), ("04:10", "04:40", "05:10", "15:00")),
    ("Atlantic/Azores", date(2026, 10, 25), ("00:10", "00:40", "01:10", "15:00")),
)


@pytest.mark.parametrize(("zone", "day", "times"), ROUNDS)
async def test_every_call_returns_the_whole_day(zone: str, day: date, times: tuple[str, ...]) -> None:
    """Four messages, two of them between the two midnights."""
    async with FakeDifyServer(timezone=zone, today=day + 5 * DAY) as fake, client(fake) as dify:
        app = an_app(fake)
        put_messages(fake, app, [datetime.fromisoformat(f"{day} {time}:00+00:00") for time in times])
        # Concurrent calls, before the account's zone is known.
        alone, until, *_ = await asyncio.gather(
            dify.daily_messages(app, day, day + DAY),
            dify.daily_messages(app, end=day),
            *(dify.daily_messages(app, day) for _ in range(8)),
        )
        assert alone == [DailyMessages(day, 4)]
        assert until == []
        assert fake.count("GET", "/account/profile") == 1
        one = await dify.statistics(app, day, day + DAY)
        assert one.daily_messages == [DailyMessages(day, 4)]
        for compare in (False, True):
            for start in (day, day - DAY):
                found = await dify.dashboard(start, start + DAY, apps=[app], compare=compare)
                assert found.totals["daily_messages"].total == (4 if start == day else 0)
        after = await dify.dashboard(day + DAY, day + 2 * DAY, apps=[app], compare=True)
        previous = after.totals["daily_messages"].previous
        assert previous is not None
        assert previous.total == 4
        today = datetime.now(ZoneInfo(zone)).date()
        async with DashboardFeed(dify, 3600, days=max(1, (today - day).days + 1), apps=[app]) as feed:
            for _ in range(3):
                assert (await feed.refresh()).dashboard.totals["daily_messages"].total == 4


async def test_naive_bounds_work_without_a_zone(fake: FakeDifyServer) -> None:
    """Naive bounds are sent unchanged if the account has no zone, or an unknown one."""
    for zone in (b"null", b'"Nowhere/Land"'):
        body = b'{"id":"1","timezone":' + zone + b"}"
        fake.inject("/account/profile", body=body, headers=JSON, times=1)
        async with client(fake) as dify:
            await dify.daily_messages(an_app(fake), date(2026, 10, 1), "2026-10-02 00:00")
            assert fake.requests[-1].query == "start=2026-10-01%2000%3A00&end=2026-10-02%2000%3A00"


async def test_the_zone_is_looked_up_only_if_needed(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    await dify.daily_messages(app)
    await dify.daily_messages(app, datetime(2026, 10, 1, 8), "2026-10-02 09:30")
    with pytest.raises(DifyConfigError, match="after end"):
        await dify.daily_messages(app, date(2026, 10, 2), date(2026, 10, 1))
    assert fake.count("GET", "/account/profile") == 0
    await dify.daily_messages(app, date(2026, 10, 1))
    await dify.daily_messages(app, end="2026-10-02 00:00")
    assert fake.count("GET", "/account/profile") == 1
