"""Where a usage report ended, so that the next one reads only what is new. Pure."""

from __future__ import annotations

from typing import Final, Self

import msgspec
from msgspec import Struct

from dify_async.errors import DifyConfigError

# In seconds. A row may become visible a little after its time of creation: transactions take time, and the
# clocks of several servers differ.
SETTLE: Final = 300
# In seconds. A message is stored without tokens before its answer is generated; if it still has none after
# this time, its generation was interrupted.
MAX_PENDING: Final = 3600


class AppMark(Struct, frozen=True):
    """Where the usage of one app was read up to.

    Attributes:
        until: Unix seconds. All rows created earlier were counted.
        counted: The ids of the rows created since then that were counted.
    """

    until: int
    counted: tuple[str, ...] = ()


class UsageMark(Struct, frozen=True, kw_only=True):
    """Where a usage report ended. Pass it as `since` to read only what is new, each message once.

    It holds the ids and times of the last messages of each app, but no texts. Store it together with the
    rows; if a run is interrupted, run it again with the mark that you have.

    Attributes:
        start: The start of the first report, in Unix seconds; apps without an entry are read from here.
        apps: By app id. An app that failed keeps its previous entry.
    """

    start: int
    apps: dict[str, AppMark] = {}

    def to_json(self) -> str:
        """The mark as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The mark from its JSON.

        Raises:
            DifyConfigError: The text is not the JSON of a mark.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError) as error:
            raise DifyConfigError(f"the mark must be JSON from UsageMark.to_json(): {error}") from None


class Reading:
    """The rows of one app that a report reads: which of them are new, and the mark for the next report.

    Args:
        start: The start of the report's range, in Unix seconds.
        end: Its end.
        before: The app's mark in the previous report.
        now: The current time.

    Attributes:
        start: When the earliest new row was listed.
        end: The end of the range.
    """

    def __init__(self, start: int, end: int, before: AppMark | None, now: int) -> None:
        self._range_start = start
        self.start: int = start if before is None else max(start, before.until)
        self.end = end
        self._before = before
        self._now = now
        self._counted = frozenset(() if before is None else before.counted)
        self._seen: set[str] = set()
        self._newest: int | None = None
        self._goes_past_end = False
        self._pending: int | None = None
        self._recent: list[tuple[int, str]] = []
        self._earliest_mark = now - max(SETTLE, MAX_PENDING)  # the next report begins at this time or later

    def begin(self, newest: int) -> None:
        """Note a time that the server's clock has reached, before the rows are read; the first one counts."""
        if self._newest is None:
            self._newest = min(newest, self._now, self.end)
            self._goes_past_end = newest >= self.end
            self._earliest_mark = min(self._newest - SETTLE, self._now - MAX_PENDING)

    def is_new(self, row_id: str, at: int, *, listed_at: int | None = None, is_pending: bool = False) -> bool:
        """Whether to count a row of this time.

        `listed_at` is when the row was created, if that is not the time of what it shows. A row whose tokens
        are not known yet is left to the next report.
        """
        listed_at = at if listed_at is None else listed_at
        if listed_at < self.start or not self._range_start <= at < self.end:
            return False
        if is_pending and at > self._now - MAX_PENDING:
            self._pending = listed_at if self._pending is None else min(listed_at, self._pending)
            return False
        if listed_at >= self._earliest_mark:
            self._recent.append((listed_at, row_id))
        if row_id in self._counted:
            self._seen.add(row_id)
            return False
        return True

    def mark(self) -> AppMark | None:
        """Where this report ended; None if the app never had a row."""
        if self._newest is None:
            return self._before
        until = self._newest - SETTLE
        if self._pending is not None:
            until = min(until, self._pending)
        until = max(until, self.start)
        counted = {row_id for listed_at, row_id in self._recent if listed_at >= until}
        if self._goes_past_end:  # an earlier report may have counted rows after the end of this one
            counted |= self._counted - self._seen
        return AppMark(until, tuple(sorted(counted)))
