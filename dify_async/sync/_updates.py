"""Dashboard updates for synchronous code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from dify_async import dashboard as asynchronous
    from dify_async.dashboard import Dashboard, DashboardUpdate, Period

    from ._loop import Block


class DashboardUpdates:
    """An iterator of `DashboardUpdate` objects, one per app as soon as its data is complete.

    Attributes:
        period: The requested range, with the account's time zone.
        previous_period: The range to compare with, or None.
        total: The number of apps.
    """

    def __init__(
        self, updates: asynchronous.DashboardUpdates, block: Block[asynchronous.DashboardUpdates]
    ) -> None:
        self._updates = updates
        self._block = block
        self._rows = block.rows(updates)
        self.period: Period = updates.period
        self.previous_period: Period | None = updates.previous_period
        self.total: int = updates.total

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> DashboardUpdate:
        return next(self._rows)

    def dashboard(self) -> Dashboard:
        """The dashboard of the apps received so far, in the order of the list."""
        return self._block.run(self._updates.dashboard)

    def collect(self) -> Dashboard:
        """Wait for the remaining apps, and return the complete dashboard."""
        for _ in self:
            pass
        return self.dashboard()
