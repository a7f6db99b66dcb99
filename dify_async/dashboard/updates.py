"""A dashboard, app by app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from dify_async.models.base import DifyModel

from .dashboard import Dashboard
from .models import AppDashboard
from .series import app_dashboard
from .totals import totals_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import Self

    from dify_async.statistics.results import AppStatistics

    from .period import Period


class DashboardUpdate(DifyModel, frozen=True, kw_only=True):
    """One app of a dashboard, and the progress so far.

    Attributes:
        app: All numbers of the app.
        done: The number of apps received so far, including this one.
        total: The number of apps in the dashboard.
    """

    app: AppDashboard
    done: int
    total: int


class DashboardUpdates:
    """An async iterator of `DashboardUpdate` objects, one per app as soon as its data is complete.

    Attributes:
        period: The requested range, with the account's time zone.
        previous_period: The range to compare with; None without a comparison.
        total: The number of apps in the dashboard.
    """

    def __init__(
        self,
        stream: AsyncIterator[AppStatistics],
        app_ids: Iterable[str],
        period: Period,
        previous_period: Period | None,
    ) -> None:
        self._stream = stream
        self._positions = {app_id: position for position, app_id in enumerate(app_ids)}
        self._received: list[AppDashboard] = []
        self.period = period
        self.previous_period = previous_period
        self.total: int = len(self._positions)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DashboardUpdate:
        app = app_dashboard(await anext(self._stream), self.period, self.previous_period)
        self._received.append(app)
        return DashboardUpdate(app=app, done=len(self._received), total=self.total)

    async def dashboard(self) -> Dashboard:
        """The dashboard of the apps received so far, in the order of the app list."""
        apps = sorted(self._received, key=lambda app: self._positions[app.app_id])
        # In a thread, because the totals of 1000 apps over 90 days take tenths of a second.
        totals = await anyio.to_thread.run_sync(totals_of, apps, self.period, self.previous_period)
        return Dashboard(period=self.period, previous_period=self.previous_period, apps=apps, totals=totals)

    async def collect(self) -> Dashboard:
        """Wait for the remaining apps, and return the whole dashboard."""
        async for _ in self:
            pass
        return await self.dashboard()
