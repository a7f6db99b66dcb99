"""The ranges of lists. Performs no I/O."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from ._times import (
    MINUTE,
    When,
    ceil_to_minute,
    check_times,
    floor_to_minute,
    formatted,
    instant,
    is_aware,
    minutes,
    moment_of,
)
from .errors import DifyConfigError

if TYPE_CHECKING:
    from datetime import tzinfo


class Range(Struct, frozen=True):
    """The range to request, and the rows to keep if the server cannot express it exactly.

    Attributes:
        start: The start to request.
        end: The end to request.
        since: Unix seconds of the first rows that are kept.
        until: Unix seconds of the first rows that are dropped again.
    """

    start: str | None = None
    end: str | None = None
    since: float = -math.inf
    until: float = math.inf

    def includes(self, at: int | None) -> bool:
        """Whether a row with this time is kept."""
        return at is None or self.since <= at < self.until


def is_empty(start: When | None, end: When | None) -> bool:
    """Whether nothing is between the bounds, as far as can be known without the account's time zone.

    Raises:
        DifyConfigError: A bound is invalid, or `start` is after `end`.
    """
    check_times(start=start, end=end)
    moments = [moment_of(bound) for bound in (start, end) if bound is not None]
    if len(moments) < 2 or is_aware(start) != is_aware(end):
        return False
    if any(moment.fold and not moment.tzinfo for moment in moments):
        return False  # the second of two equal times
    # Moments with the same tzinfo are compared without their offsets.
    first, last = (moment.astimezone(UTC) if moment.tzinfo else moment for moment in moments)
    if first > last:
        raise _reversed(*moments)
    return floor_to_minute(first) >= ceil_to_minute(last)


def minute_range(start: When | None, end: When | None, zone: tzinfo | None) -> Range | None:
    """A range in the server's format, rounded outwards to minutes; None if nothing is in it.

    The server includes the minute of `end` up to its 59th second [1.17-pre/
    06_chat_conversations_end_minute_is_inclusive_to_59s], and resolves ambiguous times to the later one.

    Args:
        start: Inclusive.
        end: Exclusive.
        zone: The account's time zone. If it is None, no time is treated as ambiguous or skipped.
    """
    if zone is None:
        low, high = minutes(start, end)
        if low is not None and high is not None and low >= high:
            return None
        return Range(formatted(low), formatted(None if high is None else high - MINUTE))
    since = None if start is None else _minute(start, zone)
    until = None if end is None else _minute(end, zone, rounds_up=True)
    if start is not None and end is not None and since is not None and until is not None:
        if instant(start, zone) > instant(end, zone):
            raise _reversed(since, until)
        if since >= until:
            return None
    found = Range()
    if since is not None:
        first = _readable_start(since, zone)
        found = structs.replace(found, start=formatted(first.astimezone(zone)))
        if first != since:
            found = structs.replace(found, since=since.timestamp())
    if until is not None:
        last = until - MINUTE
        found = structs.replace(found, end=formatted(last.astimezone(zone)))
        if _as_read(last, zone) != last:
            found = structs.replace(found, until=until.timestamp())
    return found


def instant_range(start: When | None, end: When | None, zone: tzinfo) -> Range | None:
    """A range in ISO 8601, in UTC; None if nothing is in it. The server includes `end`."""
    first, last = (None if bound is None else instant(bound, zone) for bound in (start, end))
    if first is not None and last is not None:
        if first > last:
            raise _reversed(first, last)
        if first == last:
            return None
    return Range(
        None if first is None else first.isoformat(),
        None if last is None else last.isoformat(),
        until=math.inf if last is None else last.timestamp(),
    )


def utc_days(start: When | None, end: When | None) -> tuple[str | None, str | None]:
    """A range of days in UTC, rounded outwards to whole days. Naive times are in UTC."""
    first, last = (None if bound is None else instant(bound, UTC) for bound in (start, end))
    if first is not None and last is not None and first > last:
        raise _reversed(first, last)
    if last is not None and last.time() != time.min:
        last += timedelta(days=1)
    return None if first is None else str(first.date()), None if last is None else str(last.date())


def _minute(bound: When, zone: tzinfo, *, rounds_up: bool = False) -> datetime:
    """The start of a minute of the zone, as an instant in UTC."""
    exact = instant(bound, zone)
    floor = floor_to_minute(exact.astimezone(zone)).astimezone(UTC)
    return floor + MINUTE if rounds_up and floor != exact else floor


def _readable_start(since: datetime, zone: tzinfo) -> datetime:
    """The latest moment, up to `since`, whose local time the server does not resolve to one after `since`."""
    moment = since
    while (read := _as_read(moment, zone)) > since:
        moment -= read - moment
    return moment


def _as_read(moment: datetime, zone: tzinfo) -> datetime:
    """The moment to which the server resolves this moment's local time: the later one if it is ambiguous."""
    local = moment.astimezone(zone)
    return max(local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def _reversed(start: datetime, end: datetime) -> DifyConfigError:
    return DifyConfigError(f"start must not be after end, got {start} and {end}")
