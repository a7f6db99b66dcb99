"""Bounds of ranges, in the account's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import DifyConfigError, When
from dify_async._times import in_zone, instant, span_of, wall_clock

NEW_YORK = ZoneInfo("America/New_York")


def bounds(
    start: When | None, end: When | None, zone: ZoneInfo | None = None
) -> tuple[str | None, str | None]:
    span = span_of(start, end, zone)
    return span.start, span.end


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2025, 10, 23), "2025-10-23 00:00"),
        (datetime(2025, 10, 23, 9, 5), "2025-10-23 09:05"),
        (date(2025, 10, 23), "2025-10-23 00:00"),
        ("2025-10-23 23:59", "2025-10-23 23:59"),
        ("2025-10-23T23:59", "2025-10-23 23:59"),
        ("2025-10-23 23:59:00", "2025-10-23 23:59"),
        ("2025-10-23", "2025-10-23 00:00"),
        ("20251023", "2025-10-23 00:00"),
        ("2025-10-23T04:00:00Z", "2025-10-23 00:00"),
        ("2025-10-23 04:00+00:00", "2025-10-23 00:00"),
        (datetime(2025, 10, 23, 4, tzinfo=UTC), "2025-10-23 00:00"),
        (datetime(2025, 1, 23, 4, tzinfo=UTC), "2025-01-22 23:00"),
        (datetime(2025, 10, 23, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2025-10-22 14:30"),
    ],
)
def test_moments(value: When, text: str) -> None:
    assert bounds(value, None, NEW_YORK) == (text, None)
    assert bounds(None, value, NEW_YORK) == (None, text)


@pytest.mark.parametrize(
    "value",
    [
        "23/10/2025",
        "2025-10",
        "2025-10-23 25:00",
        "2025-02-30 00:00",
        "2025-10-23 0:00",
        "\uff12\uff10\uff12\uff15-10-23 00:00",
        "tomorrow",
        " 2025-10-23 00:00",
        "2025-10-23 00:00\n",
        "",
        5,
        1.5,
        datetime(1, 1, 1),
        date(9999, 1, 1),
        "0001-01-01 00:00",
    ],
)
def test_invalid_times_are_rejected(value: When) -> None:
    with pytest.raises(DifyConfigError):
        bounds(value, None)
    with pytest.raises(DifyConfigError):
        bounds(None, value)


def test_an_aware_datetime_needs_the_zone() -> None:
    with pytest.raises(DifyConfigError, match="time zone"):
        wall_clock(datetime(2025, 1, 1, tzinfo=UTC))


def test_start_after_end_is_rejected() -> None:
    with pytest.raises(DifyConfigError, match="after end"):
        bounds(date(2025, 10, 24), date(2025, 10, 23))
    assert bounds(date(2025, 10, 23), date(2025, 10, 23))[0] is not None


def test_seconds_are_rounded_outwards() -> None:
    """An end at 23:59:59 becomes the next midnight: with 23:59 the server would drop the last minute."""
    end = datetime(2025, 10, 23, 23, 59, 59, 999999)
    assert bounds(datetime(2025, 10, 23, 0, 0, 30), end) == ("2025-10-23 00:00", "2025-10-24 00:00")


@pytest.mark.parametrize(
    ("utc", "text"),
    [
        # Clocks go forward at 02:00 on 2025-03-09: 02:30 does not exist.
        (datetime(2025, 3, 9, 6, 59, tzinfo=UTC), "2025-03-09 01:59"),
        (datetime(2025, 3, 9, 7, 0, tzinfo=UTC), "2025-03-09 03:00"),
        # Clocks go back at 02:00 on 2025-11-02: the server reads 01:30 as the later one.
        (datetime(2025, 11, 2, 5, 30, tzinfo=UTC), "2025-11-02 01:30"),
        (datetime(2025, 11, 2, 6, 30, tzinfo=UTC), "2025-11-02 01:30"),
    ],
)
def test_gaps_and_overlaps_of_the_accounts_zone(utc: datetime, text: str) -> None:
    assert bounds(utc, None, NEW_YORK) == (text, None)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_aware_datetimes_of_any_zone_are_converted(moment: datetime) -> None:
    assert wall_clock(moment, NEW_YORK) == wall_clock(moment.astimezone(UTC), NEW_YORK)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_text_and_datetimes_are_equivalent(moment: datetime) -> None:
    text, _ = bounds(moment, None)
    assert text is not None
    assert bounds(text, None) == (text, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2025, 10, 23, 9, 5, 30, 500_000), "2025-10-23T13:05:30.500000+00:00"),
        (date(2025, 1, 23), "2025-01-23T05:00:00+00:00"),
        ("2025-10-23 23:59", "2025-10-24T03:59:00+00:00"),
        (datetime(2025, 10, 23, 4, tzinfo=UTC), "2025-10-23T04:00:00+00:00"),
        (datetime(2025, 10, 23, 4, tzinfo=NEW_YORK), "2025-10-23T08:00:00+00:00"),
        # Ambiguous times resolve to the later one, unless the zone or fold is given.
        (datetime(2025, 11, 2, 1, 30), "2025-11-02T06:30:00+00:00"),
        (datetime(2025, 11, 2, 5, 30, tzinfo=UTC), "2025-11-02T05:30:00+00:00"),
        (datetime(2025, 11, 2, 1, 30, tzinfo=NEW_YORK), "2025-11-02T05:30:00+00:00"),
        (datetime(2025, 11, 2, 1, 30, tzinfo=NEW_YORK, fold=1), "2025-11-02T06:30:00+00:00"),
    ],
)
def test_instants(value: When, text: str) -> None:
    """1.10.1/06_workflow_app_logs_created_at_offset: workflow logs take ISO 8601."""
    assert instant(value, NEW_YORK).isoformat() == text


def test_a_time_that_the_zone_skips_is_one_hour_later() -> None:
    moment = in_zone(datetime(2026, 3, 8, 2, 30), ZoneInfo("America/New_York"))
    assert moment.astimezone(UTC).hour == 7


def test_the_day_after_a_skipped_midnight_is_requested_too() -> None:
    """A server that reads a skipped midnight as the hour before would lose that hour."""
    span = span_of("2026-03-07 00:00", "2026-03-08 00:00", ZoneInfo("America/Havana"))
    assert span.end == "2026-03-09 00:00"


def test_bounds_that_differ_only_by_fold() -> None:
    """They are equal for a cache. In Havana, midnight of 2026-11-01 occurs twice."""
    zone = ZoneInfo("America/Havana")
    midnight = datetime(2026, 11, 1)
    first, second = span_of(midnight, None, zone), span_of(midnight.replace(fold=1), None, zone)
    assert first.start == "2026-10-31 00:00"
    assert second.start == "2026-11-01 00:00"


def test_the_same_instant_in_two_zones() -> None:
    new_york = datetime(2026, 10, 1, tzinfo=ZoneInfo("America/New_York"))
    zone = ZoneInfo("Europe/Berlin")
    assert span_of(new_york, None, zone) == span_of(new_york.astimezone(UTC), None, zone)
    assert span_of(new_york, None, UTC) != span_of(new_york, None, zone)
