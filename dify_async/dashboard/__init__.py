"""The dashboard: the numbers of every app for a range of days, filled, totalled and compared."""

from typing import TYPE_CHECKING

from dify_async._lazy import importer

if TYPE_CHECKING:
    from .dashboard import Dashboard
    from .feed import DashboardFeed
    from .models import AppDashboard, AppError, Change, Series
    from .period import Period
    from .snapshot import Snapshot
    from .updates import DashboardUpdate, DashboardUpdates

__all__ = [
    "AppDashboard",
    "AppError",
    "Change",
    "Dashboard",
    "DashboardFeed",
    "DashboardUpdate",
    "DashboardUpdates",
    "Period",
    "Series",
    "Snapshot",
]

if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = importer(
        __name__,
        {
            "dashboard": ("Dashboard",),
            "feed": ("DashboardFeed",),
            "models": ("AppDashboard", "AppError", "Change", "Series"),
            "period": ("Period",),
            "snapshot": ("Snapshot",),
            "updates": ("DashboardUpdate", "DashboardUpdates"),
        },
    )
