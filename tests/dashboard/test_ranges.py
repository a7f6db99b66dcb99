"""The days of a dashboard, in the account's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyError
from dify_async.dashboard.period import checked_range, period_before, period_of
from dify_async.testing import FakeDifyServer
from tests.support import JSON, client

from .conftest import END, START
from .numbers import Facts

pytestmark = pytest.mark.calendar


async def test_the_default_is_the_last_30_days_in_the_accounts_zone() -> None:
    """Kiritimati is always a day ahead of Pago Pago."""
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        today = datetime.now(ZoneInfo(zone)).date()
        async with FakeDifyServer(timezone=zone, apps=3, today=today) as fake, client(fake) as dify:
            dashboard = await dify.dashboard(metrics=["daily_messages"])
            if datetime.now(ZoneInfo(zone)).date() != today:
                continue  # midnight has passed
            period = dashboard.period
            assert period.zone == zone
            assert period.days[-1] == today
            assert len(period.days) == 30
            assert period.end == datetime.combine(
                today + timedelta(days=1), datetime.min.time(), ZoneInfo(zone)
            )
            # The server's end is exclusive: "23:59" would lose a minute.
            assert fake.requests[-1].query.endswith(f"&end={today + timedelta(days=1)}%2000%3A00")
            facts = Facts(fake, [app for app in fake.apps if app.mode != "workflow"], period)
            assert dashboard.totals["daily_messages"].values == tuple(facts.a_day)


async def test_some_days_and_a_single_bound(dify: AsyncDifyServer) -> None:
    week = await dify.dashboard(days=7, apps=[])
    assert len(week.period.days) == 7
    until = await dify.dashboard(end=END, apps=[])
    assert until.period.days == tuple(START + timedelta(days=number) for number in range(30))
    today = week.period.days[-1]
    since = await dify.dashboard(today - timedelta(days=2), apps=[])
    assert since.period.days == (today - timedelta(days=2), today - timedelta(days=1), today)
    # Without a start, the days are whole, whatever the end.
    cut = await dify.dashboard(end=datetime(2026, 10, 30, 12), days=2, apps=[])
    assert cut.period.bounds == ("2026-10-29 00:00", "2026-10-30 12:00")


async def test_aware_bounds_are_converted_and_cut_their_days(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A UTC day is 20:00 to 20:00 in New York: parts of two days."""
    start = datetime(2026, 10, 7, tzinfo=UTC)
    dashboard = await dify.dashboard(start, start + timedelta(days=1), metrics=["daily_messages"])
    assert fake.requests[-1].query == "start=2026-10-06%2020%3A00&end=2026-10-07%2020%3A00"
    assert dashboard.period.start == start
    assert dashboard.period.end == start + timedelta(days=1)
    assert dashboard.period.days == (date(2026, 10, 6), date(2026, 10, 7))
    facts = Facts(fake, [app for app in fake.apps if app.mode != "workflow"], dashboard.period)
    assert dashboard.totals["daily_messages"].values == tuple(facts.a_day)
    assert len(facts.messages) > 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("America/New_York", date(2026, 11, 1), 25), ("America/New_York", date(2026, 3, 8), 23),
     ("Europe/Berlin", date(2026, 10, 25), 25), ("America/Santiago", date(2026, 9, 6), 23)],
)  # fmt: skip
async def test_a_day_on_which_the_clocks_change_is_one_day(zone: str, day: date, hours: int) -> None:
    """In Santiago, midnight itself is skipped."""
    async with FakeDifyServer(timezone=zone, today=date(2026, 11, 10), apps=2) as fake, client(fake) as dify:
        dashboard = await dify.dashboard(day - timedelta(days=3), day + timedelta(days=4), compare=True)
        assert len(dashboard.period.days) == 7
        length = dashboard.period.end.timestamp() - dashboard.period.start.timestamp()
        assert length == 3600 * (6 * 24 + hours)
        facts = Facts(fake, fake.apps, dashboard.period)
        assert dashboard.totals["daily_messages"].values == tuple(facts.a_day)
        assert dashboard.previous_period is not None
        assert dashboard.previous_period.days[-1] == day - timedelta(days=4)
        one = await dify.dashboard(day, day + timedelta(days=1), apps=[])
        assert one.period.days == (day,)
        assert one.period.end.timestamp() - one.period.start.timestamp() == 3600 * hours


@pytest.mark.parametrize("zone", [b"null", b'""', b'"Nowhere/Land"'])
async def test_an_account_without_a_zone(fake: FakeDifyServer, zone: bytes) -> None:
    fake.inject("/account/profile", body=b'{"id":"1","timezone":' + zone + b"}", headers=JSON)
    async with client(fake) as dify:
        with pytest.raises(
            DifyConfigError, match=r"time zone.*(set one with set_timezone|install the package)"
        ):
            await dify.dashboard()
        assert fake.count("GET", "*/statistics/*") == 0


async def test_future_days_are_zeros(dify: AsyncDifyServer) -> None:
    start = datetime.now(UTC).date() + timedelta(days=10)
    dashboard = await dify.dashboard(start, start + timedelta(days=5), compare=True)
    assert dashboard.totals["daily_messages"].values == (0,) * 5
    assert dashboard.totals["daily_messages"].total == 0
    assert dashboard.totals["token_costs_USD"].total == 0
    assert dashboard.totals["rate_percent"].values == (None,) * 5
    with pytest.raises(DifyConfigError, match="is after end"):
        await dify.dashboard(start)


async def test_an_empty_range(dify: AsyncDifyServer) -> None:
    dashboard = await dify.dashboard(START, START, compare=True)
    assert dashboard.period.days == ()
    for series in dashboard.totals.values():
        assert series.values == ()
        assert series.total in {0, None}
    assert dashboard.totals["daily_messages"].total == 0
    assert dashboard.totals["daily_end_users"].total is None
    assert dashboard.to_rows() == []
    with pytest.raises(DifyConfigError, match="is after end"):
        await dify.dashboard(END, START)


async def test_a_range_of_ten_years(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    dashboard = await dify.dashboard(date(2017, 1, 1), date(2027, 1, 1), metrics=["daily_messages"])
    values = dashboard.totals["daily_messages"].values
    assert len(values) == 3652
    facts = Facts(fake, [app for app in fake.apps if app.mode != "workflow"], dashboard.period)
    assert sum(value for value in values if isinstance(value, int)) == len(facts.messages) > 1000


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "7", 10**7, 10**12])
async def test_invalid_days(dify: AsyncDifyServer, days: int) -> None:
    with pytest.raises(DifyConfigError):
        await dify.dashboard(days=days)


async def test_bounds_that_cannot_be_compared(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match="midnight"):
        await dify.dashboard(datetime(2026, 10, 1, 12), END, compare=True)
    with pytest.raises(DifyConfigError):
        await dify.dashboard(date(5, 1, 1), date(2026, 1, 1), compare=True, apps=[])
    with pytest.raises(DifyConfigError, match="ISO 8601"):
        await dify.dashboard("yesterday")


async def test_a_server_whose_clock_is_a_day_off() -> None:
    """Today's date is read from this machine's clock, so tomorrow's row is not requested."""
    now = datetime.now(UTC).date()
    for off in (-1, 1):
        async with (
            FakeDifyServer(timezone="UTC", today=now + timedelta(days=off), apps=2) as fake,
            client(fake) as dify,
        ):
            dashboard = await dify.dashboard()
            if datetime.now(UTC).date() != now:
                continue
            assert dashboard.period.days[-1] == now
            facts = Facts(fake, fake.apps, dashboard.period)
            assert dashboard.totals["daily_messages"].values == tuple(facts.a_day)
            if off < 0:
                assert dashboard.totals["daily_messages"].values[-1] == 0


async def test_before_the_client_is_open(fake: FakeDifyServer) -> None:
    with pytest.raises(DifyError, match="async with"):
        await client(fake).dashboard()


def test_a_period_and_its_previous_period() -> None:
    zone = ZoneInfo("Europe/Berlin")
    given = checked_range(start=date(2026, 10, 19), end=date(2026, 10, 26))
    period = period_of(given, zone, datetime.now(UTC))
    before = period_before(period, zone)
    assert (before.start, before.end) == (datetime(2026, 10, 12, tzinfo=zone), period.start)
    assert len(before.days) == len(period.days) == 7
