"""The dashboard: the numbers of every app for a range of days, filled, totalled and compared."""

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
