"""Ranges of lists: `end` is exclusive, and adjacent ranges have each row once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dify_async import DifyConfigError, When
from dify_async._ranges import Range, instant_range, is_empty, minute_range, utc_days
from dify_async._times import instant

MINUTE = timedelta(minutes=1)
NEW_YORK, HAVANA = ZoneInfo("America/New_York"), ZoneInfo("America/Havana")
BACK, FORTH = datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC)  # in New York


def requested(found: Range | None, zone: ZoneInfo, rows: list[int]) -> list[int]:
    """The rows that a server sends for a range and that the client keeps.

    The server includes the minute of `end` up to its 59th second [1.9.1/
    chat_conversations__boundary_end_exactly_at_created], and resolves ambiguous times to the later one.
    """
    if found is None:
        return []

    def read(text: str) -> float:
        naive = datetime.strptime(text, "%Y-%m-%d %H:%M")
        first, second = (naive.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
        assert first <= second, f"{text} does not exist in {zone}, and versions read it differently"
        return second

    low = -float("inf") if found.start is None else read(found.start)
    high = float("inf") if found.end is None else read(found.end) + 59
    return [at for at in rows if low <= at <= high and found.includes(at)]


def expected(start: When, end: When, zone: ZoneInfo, rows: list[int]) -> list[int]:
    """The rows from the minute of `start` up to `end`, which is rounded up to a minute."""
    low, high = instant(start, zone).timestamp(), instant(end, zone).timestamp()
    return [at for at in rows if low - low % 60 <= at < high + -high % 60]


def around(moment: datetime, hours: int = 30) -> list[int]:
    """A row every 20 seconds for two hours, and every 15 minutes for some more."""
    middle = int(moment.timestamp()) // 60 * 60
    near = range(middle - 3600, middle + 3600, 20)
    return sorted({*near, *range(middle - hours * 3600, middle + hours * 3600, 900)})


moments = st.one_of(
    st.datetimes(datetime(2020, 1, 1), datetime(2037, 12, 1)),
    st.dates(date(2020, 1, 1), date(2037, 12, 1)),
)


@settings(max_examples=100, deadline=None)  # the first use of a zone reads a file
@given(
    zone=st.timezone_keys(allow_prefix=False).map(ZoneInfo),
    start=moments,
    minutes=st.integers(0, 3000),
    seconds=st.integers(0, 59),
    is_aware=st.booleans(),
)
@example(zone=HAVANA, start=date(2026, 11, 1), minutes=60, seconds=0, is_aware=True)
@example(zone=HAVANA, start=date(2026, 10, 31), minutes=1440, seconds=0, is_aware=False)
def test_the_end_is_exclusive(
    zone: ZoneInfo,
    start: datetime | date,
    minutes: int,
    seconds: int,
    is_aware: bool,  # noqa: FBT001 - of hypothesis
) -> None:
    first = instant(start, zone)
    last = first + timedelta(minutes=minutes, seconds=seconds)
    end = last if is_aware else last.astimezone(zone).replace(tzinfo=None)
    if instant(end, zone) < first:  # a naive time in a repeated hour is the later one
        return
    rows = sorted({*around(first), *around(instant(end, zone))})
    found = requested(minute_range(start, end, zone), zone, rows)
    assert found == expected(start, end, zone, rows)


@settings(max_examples=60, deadline=None)
@given(
    transition=st.sampled_from([BACK, FORTH]),
    steps=st.lists(st.integers(0, 90), min_size=2, max_size=5),
    offset=st.integers(-150, 60),
)
def test_adjacent_ranges_have_each_row_once(transition: datetime, steps: list[int], offset: int) -> None:
    """Also in the hour that occurs twice, which the server can only read as the later one."""
    bounds = [transition + offset * MINUTE]
    for step in steps:
        bounds.append(bounds[-1] + step * MINUTE)
    rows = around(transition)
    parts = [requested(minute_range(*pair, NEW_YORK), NEW_YORK, rows) for pair in pairwise(bounds)]
    assert [*chain(*parts)] == expected(bounds[0], bounds[-1], NEW_YORK, rows)


@given(start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), seconds=st.integers(0, 10_000))
def test_without_a_zone(start: datetime, seconds: int) -> None:
    start = start.replace(fold=0)  # with fold=1, it depends on the zone whether it is after its equal
    end = start + timedelta(seconds=seconds)
    utc = ZoneInfo("UTC")
    assert minute_range(start, end, None) == minute_range(start, end, utc)
    assert is_empty(start, end) == (minute_range(start, end, utc) is None)


def test_the_minute_before_the_end_is_sent() -> None:
    """Months do not overlap: the server would include 00:00:59 of the first day after them."""
    assert minute_range(date(2026, 10, 1), date(2026, 11, 1), NEW_YORK) == Range(
        "2026-10-01 00:00",
        "2026-10-31 23:59",
        -float("inf"),
        float("inf"),
    )
    end = "2026-11-01T00:00:01"
    assert minute_range("2026-10-01T00:00:59", end, None) == Range("2026-10-01 00:00", "2026-11-01 00:00")
    assert minute_range(None, None, NEW_YORK) == Range()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-01", date(2026, 10, 1)),
        ("2026-10-01T10:00", datetime(2026, 10, 1, 10)),
        ("2026-10-01T10:00Z", "2026-10-01T12:00+02:00"),
        (BACK.astimezone(NEW_YORK), BACK),
    ],
)
def test_nothing_remains(start: When, end: When) -> None:
    assert is_empty(start, end)
    assert minute_range(start, end, NEW_YORK) is None
    assert instant_range(start, end, NEW_YORK) is None
    assert not is_empty(start, None)
    assert not is_empty(None, end)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-10-02", date(2026, 10, 1)), ("2026-10-01T10:00Z", "2026-10-01T10:00+02:00")],
)
def test_reversed_bounds(start: When, end: When) -> None:
    for check in (is_empty, partial(minute_range, zone=NEW_YORK), utc_days):
        with pytest.raises(DifyConfigError, match="start must not be after end"):
            check(start, end)


def test_the_repeated_hour_is_not_reversed() -> None:
    """01:50 in the first one is before 01:10 in the second one."""
    start, end = (
        datetime(2026, 11, 1, 1, minute, tzinfo=NEW_YORK, fold=fold) for minute, fold in ((50, 0), (10, 1))
    )
    assert not is_empty(start, end)
    assert len(requested(minute_range(start, end, NEW_YORK), NEW_YORK, around(BACK))) == 60


def test_the_hour_between_two_midnights() -> None:
    first, second = datetime(2026, 11, 1), datetime(2026, 11, 1, fold=1)
    assert not is_empty(first, second)
    rows = around(datetime(2026, 11, 1, 5, tzinfo=UTC))
    assert len(requested(minute_range(first, second, HAVANA), HAVANA, rows)) == 180


def test_a_naive_and_an_aware_bound_are_compared_in_the_zone() -> None:
    assert not is_empty("2026-10-01T03:00Z", "2026-10-01T00:00")
    with pytest.raises(DifyConfigError, match="start must not be after end"):
        minute_range("2026-10-01T05:00Z", "2026-10-01T00:00", NEW_YORK)
    with pytest.raises(DifyConfigError, match="start must not be after end"):
        instant_range("2026-10-01T05:00Z", "2026-10-01T00:00", NEW_YORK)


@given(end=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_instants_are_sent_exactly_and_the_end_is_dropped(end: datetime) -> None:
    found = instant_range(None, end, NEW_YORK)
    assert found is not None
    assert found.end is not None
    until = instant(end, NEW_YORK)
    assert datetime.fromisoformat(found.end) == until
    seconds = until.timestamp()
    for at in range(int(seconds) - 2, int(seconds) + 3):
        assert found.includes(at) == (at < seconds)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2026, 10, 1), date(2026, 11, 1), ("2026-10-01", "2026-11-01")),
        ("2026-10-01", "2026-10-01", ("2026-10-01", "2026-10-01")),
        ("2026-10-01T23:59", datetime(2026, 10, 31, 0, 0, 1), ("2026-10-01", "2026-11-01")),
        ("2026-10-01T01:00+02:00", "2026-10-31T23:00-01:00", ("2026-09-30", "2026-11-01")),
        (None, None, (None, None)),
    ],
)
def test_days_in_utc(start: When | None, end: When | None, days: tuple[str | None, str | None]) -> None:
    assert utc_days(start, end) == days
