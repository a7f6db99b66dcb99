"""Asyncio client of Dify's console API: apps, API keys, conversations and statistics."""

from typing import TYPE_CHECKING

from . import dashboard, models, usage
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
from ._times import When
from .client import AppResult, AsyncDifyServer, Progress
from .dashboard import *  # noqa: F403 - all of its __all__
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
from .models import *  # noqa: F403 - all of its __all__
from .statistics import AppStatistics, Metric
from .tokens import LoginAttempts, MemoryTokenStore, StoredValue, Tokens, TokenStore
from .usage import *  # noqa: F403 - all of its __all__

if TYPE_CHECKING:
    from .redis_store import RedisTokenStore

__version__ = "0.1.0"

__all__ = [
    "AnnotationStatus",
    "AppMode",
    "AppOrId",
    "AppResult",
    "AppSort",
    "AppStatistics",
    "AsyncDifyServer",
    "ConversationSort",
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
    "PeriodName",
    "Progress",
    "RedisTokenStore",
    "RequestAnswered",
    "RequestEvent",
    "RequestFailed",
    "RequestRetried",
    "RequestStarted",
    "RetryPolicy",
    "SessionRefreshed",
    "StoreDown",
    "StoreUp",
    "StoredValue",
    "TokenStore",
    "Tokens",
    "When",
    "WorkflowRunStatus",
    "__version__",
]
__all__ += dashboard.__all__
__all__ += models.__all__
__all__ += usage.__all__


if not TYPE_CHECKING:  # otherwise type checkers would accept any name

    def __getattr__(name: str) -> object:
        # redis is imported only if it is used.
        if name == "RedisTokenStore":
            from .redis_store import RedisTokenStore  # noqa: PLC0415

            return RedisTokenStore
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
