"""Times as the server takes them: "YYYY-MM-DD HH:MM" on the wall clock of the account. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .errors import DifyConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

When = datetime | date | str
"""A moment: a datetime (naive is the account's wall clock, aware is converted to it), a date (its
midnight), or text "YYYY-MM-DD HH:MM"."""

# 24:00 is the next day to Python 3.14, and nothing to servers.
_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d (?!24)\d\d:\d\d", re.ASCII)
_MINUTE: Final = timedelta(minutes=1)
_FORMAT: Final = 'a datetime, a date or text "YYYY-MM-DD HH:MM"'


def is_aware(value: When | None) -> bool:
    """Whether the account's time zone is needed to read it."""
    return isinstance(value, datetime) and value.tzinfo is not None


def wall_clock(value: When, zone: tzinfo | None = None) -> datetime:
    """The moment as a naive datetime on the account's clock.

    In the hour that a zone repeats in autumn, the server reads a wall clock as the later one: a
    moment of the earlier pass is taken for the same wall clock of the later.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            moment = value
        elif zone is None:
            raise DifyConfigError("an aware datetime needs the account's time zone")
        else:
            moment = value.astimezone(zone).replace(tzinfo=None, fold=0)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the account's clock
    elif isinstance(value, str):
        moment = _parsed(value)
    else:
        raise DifyConfigError(f"{str(value)[:40]!r} is not {_FORMAT}")
    # Dify answers 500 where a bound leaves the calendar in another zone [1.9.1/fmt_year_0001, _9999].
    if not date.min.year < moment.year < date.max.year:
        raise DifyConfigError(f"the year of {moment} is out of range")
    return moment


@lru_cache(maxsize=256)  # many calls have the same bounds
def _parsed(text: str) -> datetime:
    if not _TEXT.fullmatch(text):
        raise DifyConfigError(f"{text[:40]!r} is not {_FORMAT}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise DifyConfigError(f"{text!r} is no moment: {error}") from None


def instant(value: When, zone: tzinfo) -> datetime:
    """The moment itself; of an hour that comes twice, a wall clock reads the later one."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    local = wall_clock(value).replace(tzinfo=zone)
    return max(local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def bounds(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[str | None, str | None]:
    """A range as the server takes it, in whole minutes that hold all that was asked for."""
    first = None if start is None else _floor(wall_clock(start, zone))
    last = None if end is None else wall_clock(end, zone)
    if last is not None:
        floor = _floor(last)
        # An inclusive end holds its whole minute; an exclusive one would lose it.
        last = floor + _MINUTE if end_is_exclusive and floor != last else floor
    if first is not None and last is not None and first > last:
        raise DifyConfigError(f"start {first} is after end {last} (on the account's clock)")
    return _minutes(first), _minutes(last)


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) if moment.second or moment.microsecond else moment


def _minutes(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(" ", "minutes")
