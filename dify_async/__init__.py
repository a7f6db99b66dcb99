"""Asyncio client for the console API of Dify: apps, API keys, conversations and statistics."""

from typing import TYPE_CHECKING

from ._retry import RetryPolicy
from ._times import When
from .client import AsyncDifyServer
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
from .errors import (
    DifyAuthenticationError,
    DifyConfigError,
    DifyConflictError,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyLoginError,
    DifyLoginLockedError,
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
    RequestAnswered,
    RequestEvent,
    RequestFailed,
    RequestRetried,
    RequestStarted,
    SessionRenewed,
    StoreDown,
    StoreUp,
)
from .models import (
    Account,
    ApiKey,
    App,
    AverageResponseTime,
    AverageSessionInteractions,
    ChatConversation,
    CompletionParams,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    DatasetApiKey,
    FeedbackStats,
    Model,
    ModelConfig,
    Page,
    Site,
    StatusCount,
    Tag,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
    WorkflowSummary,
    WorkflowTokenCosts,
)
from .statistics import AppStatistics, Metric
from .tokens import MemoryTokenStore, Tokens, TokenStore

if TYPE_CHECKING:
    from .redis_store import RedisTokenStore

__version__ = "0.1.0"

__all__ = [
    "Account",
    "ApiKey",
    "App",
    "AppDashboard",
    "AppError",
    "AppStatistics",
    "AsyncDifyServer",
    "AverageResponseTime",
    "AverageSessionInteractions",
    "Change",
    "ChatConversation",
    "CompletionParams",
    "DailyConversations",
    "DailyEndUsers",
    "DailyMessages",
    "Dashboard",
    "DashboardFeed",
    "DashboardUpdate",
    "DashboardUpdates",
    "DatasetApiKey",
    "DifyAuthenticationError",
    "DifyConfigError",
    "DifyConflictError",
    "DifyConnectionError",
    "DifyDecodeError",
    "DifyError",
    "DifyLoginError",
    "DifyLoginLockedError",
    "DifyNotFoundError",
    "DifyPermissionError",
    "DifyRateLimitError",
    "DifyServerError",
    "DifyStatusError",
    "DifyTimeoutError",
    "DifyUnknownOutcomeError",
    "DifyValidationError",
    "Event",
    "FeedbackStats",
    "MemoryTokenStore",
    "Metric",
    "Model",
    "ModelConfig",
    "Page",
    "Period",
    "RedisTokenStore",
    "RequestAnswered",
    "RequestEvent",
    "RequestFailed",
    "RequestRetried",
    "RequestStarted",
    "RetryPolicy",
    "Series",
    "SessionRenewed",
    "Site",
    "Snapshot",
    "StatusCount",
    "StoreDown",
    "StoreUp",
    "Tag",
    "TokenCosts",
    "TokenStore",
    "Tokens",
    "TokensPerSecond",
    "UserSatisfactionRate",
    "When",
    "WorkflowDailyRuns",
    "WorkflowSummary",
    "WorkflowTokenCosts",
    "__version__",
]


def __getattr__(name: str) -> object:
    # Redis is imported by those who use it.
    if name == "RedisTokenStore":
        from .redis_store import RedisTokenStore  # noqa: PLC0415

        return RedisTokenStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
