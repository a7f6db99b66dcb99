"""Asyncio client of Dify's console API: apps, API keys, conversations and statistics."""

from typing import TYPE_CHECKING

from . import models
from ._api.paginator import Paginator
from ._choices import (
    AnnotationStatus,
    AppMode,
    AppSort,
    ConversationSort,
    MetricName,
    OnError,
    PeriodName,
    WorkflowRunStatus,
)
from ._http.retry import RetryPolicy
from ._ids import AppOrId, Id
from ._lazy import lazy_names
from ._times import When
from .client import AppResult, AsyncDifyServer, Progress
from .errors import (
    DifyAuthenticationError,
    DifyConfigError,
    DifyConflictError,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyMaskedKeyError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyRateLimitError,
    DifyServerError,
    DifyStatusError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
    DifyValidationError,
)
from .events import (
    Event,
    OnEvent,
    RequestAnswered,
    RequestEvent,
    RequestFailed,
    RequestRetried,
    RequestStarted,
    SessionRefreshed,
    StoreDown,
    StoreUp,
)
from .statistics.metrics import Metric
from .tokens import LoginAttempts, MemoryTokenStore, StoredValue, Tokens, TokenStore

if TYPE_CHECKING:
    from . import dashboard as dashboard
    from . import usage as usage
    from .dashboard import (
        AppDashboard,
        AppError,
        Change,
        Dashboard,
        DashboardFeed,
        DashboardUpdate,
        DashboardUpdates,
        Period,
        Series,
        Snapshot,
    )
    from .models import *  # noqa: F403 - all of its __all__
    from .redis_store import RedisTokenStore
    from .statistics.results import AppStatistics
    from .usage import (
        AppMark,
        Usage,
        UsageDimension,
        UsageError,
        UsageMark,
        UsageRow,
    )

__version__ = "0.1.0"

__all__ = [
    "AnnotationStatus",
    "AppDashboard",
    "AppError",
    "AppMark",
    "AppMode",
    "AppOrId",
    "AppResult",
    "AppSort",
    "AppStatistics",
    "AsyncDifyServer",
    "Change",
    "ConversationSort",
    "Dashboard",
    "DashboardFeed",
    "DashboardUpdate",
    "DashboardUpdates",
    "DifyAuthenticationError",
    "DifyConfigError",
    "DifyConflictError",
    "DifyConnectionError",
    "DifyDecodeError",
    "DifyError",
    "DifyLoginError",
    "DifyLoginLockedError",
    "DifyMaskedKeyError",
    "DifyNotFoundError",
    "DifyPermissionError",
    "DifyRateLimitError",
    "DifyServerError",
    "DifyStatusError",
    "DifyTimeoutError",
    "DifyUnknownOutcomeError",
    "DifyValidationError",
    "Event",
    "Id",
    "LoginAttempts",
    "MemoryTokenStore",
    "Metric",
    "MetricName",
    "OnError",
    "OnEvent",
    "Paginator",
    "Period",
    "PeriodName",
    "Progress",
    "RedisTokenStore",
    "RequestAnswered",
    "RequestEvent",
    "RequestFailed",
    "RequestRetried",
    "RequestStarted",
    "RetryPolicy",
    "Series",
    "SessionRefreshed",
    "Snapshot",
    "StoreDown",
    "StoreUp",
    "StoredValue",
    "TokenStore",
    "Tokens",
    "Usage",
    "UsageDimension",
    "UsageError",
    "UsageMark",
    "UsageRow",
    "When",
    "WorkflowRunStatus",
    "__version__",
]
__all__ += models.__all__


# Modules that not every client needs, and their names: imported when one of them is first used.
_LAZY = {
    "dashboard": (
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
    ),
    "models": models.__all__,
    "redis_store": ("RedisTokenStore",),
    "statistics.results": ("AppStatistics",),
    "usage": (
        "AppMark",
        "Usage",
        "UsageDimension",
        "UsageError",
        "UsageMark",
        "UsageRow",
    ),
}

if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__, __dir__ = lazy_names(__name__, _LAZY)
