"""The latest dashboard of a feed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from .dashboard import Dashboard

if TYPE_CHECKING:
    from typing import Self


class Snapshot(Struct, frozen=True, kw_only=True):
    """The latest dashboard of a feed.

    Attributes:
        dashboard: The dashboard.
        fetched_at: When it was fetched, in UTC.
        monotonic_at: When it was fetched, by `time.monotonic()` of this process.
        error: Why the last refresh failed; None if it succeeded.
    """

    dashboard: Dashboard
    fetched_at: datetime
    monotonic_at: float
    error: Exception | None = None

    @property
    def age(self) -> float:
        """Seconds since the dashboard was fetched."""
        return time.monotonic() - self.monotonic_at


class Outcome(NamedTuple):
    """What a feed shows.

    Attributes:
        snapshot: The latest snapshot; None before the first refresh succeeds.
        error: Why the last refresh failed; None if it succeeded.
    """

    snapshot: Snapshot | None = None
    error: Exception | None = None

    @classmethod
    def of(cls, dashboard: Dashboard) -> Self:
        """The outcome of a refresh that has just succeeded."""
        return cls(Snapshot(dashboard=dashboard, fetched_at=datetime.now(UTC), monotonic_at=time.monotonic()))

    def failed(self, error: Exception | None) -> Self:
        """The outcome if the next refresh fails: the snapshot stays, with the error."""
        snapshot = self.snapshot
        if snapshot is not None:
            snapshot = Snapshot(
                dashboard=snapshot.dashboard,
                fetched_at=snapshot.fetched_at,
                monotonic_at=snapshot.monotonic_at,
                error=error,
            )
        return self._replace(snapshot=snapshot, error=error)
