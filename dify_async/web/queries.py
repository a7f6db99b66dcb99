"""What a page asks for: a range of days, and a mode or one app."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict, cast, get_args

from dify_async import _checks
from dify_async._choices import AppMode
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_DAYS: Final = 30
_MAX_DAYS: Final = 366


class DateRange(TypedDict, total=False):
    """The arguments of `dashboard()` that define its range."""

    start: date
    end: date
    days: int


class PageQuery(NamedTuple):
    """The range and the apps of one page.

    Attributes:
        days: The number of days until today, unless a range is given.
        start: The first day of the range.
        last: The last day of the range, inclusive.
        mode: Only apps of this mode.
        apps: Only the apps with these ids; not with a mode.
    """

    days: int = _DEFAULT_DAYS
    start: date | None = None
    last: date | None = None
    mode: AppMode | None = None
    apps: tuple[str, ...] | None = None

    @property
    def range(self) -> DateRange:
        """The range as arguments of `dashboard()`."""
        if self.start is None or self.last is None:
            return DateRange(days=self.days)
        return DateRange(start=self.start, end=self.last + timedelta(days=1))


def parse_query(query: Mapping[str, str]) -> PageQuery:
    """Parse days=30, or start= and last= (both inclusive), and mode= or app=.

    Raises:
        DifyConfigError: The range or the mode is wrong.
    """
    apps = (query["app"],) if query.get("app") else None
    mode = None if apps else _mode(query.get("mode"))
    try:
        if "start" in query or "last" in query:
            start, last = (date.fromisoformat(query.get(name, "")) for name in ("start", "last"))
            days = (last - start).days + 1
            parsed = PageQuery(start=start, last=last, mode=mode, apps=apps)
            _ = parsed.range  # the day after the last one must exist
        else:
            days = int(query.get("days", _DEFAULT_DAYS))
            parsed = PageQuery(days=days, mode=mode, apps=apps)
    except (ValueError, OverflowError) as error:
        raise DifyConfigError(f"invalid range: {error}") from None
    if not 1 <= days <= _MAX_DAYS:
        raise DifyConfigError(f"the range must have 1 to {_MAX_DAYS} days, got {days}")
    return parsed


def _mode(text: str | None) -> AppMode | None:
    if not text:
        return None
    _checks.one_of("mode", text, get_args(AppMode))
    return cast("AppMode", text)
