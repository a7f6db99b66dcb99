"""The table: every route of Dify's console API that the client calls. Data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from ._retry import CHANGE, IDEMPOTENT, Repeat
from ._wire import nothing
from .models import (
    Account,
    ApiKey,
    App,
    AverageResponseTime,
    AverageSessionInteractions,
    ChatConversation,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    DatasetApiKey,
    Page,
    SystemFeatures,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
    WorkflowTokenCosts,
)
from .models._base import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint(Generic[T]):
    """One route.

    Attributes:
        path: Below /console/api, with {} for each id.
        decode: Bytes to the answer.
        repeat: After which failures it may be sent again.
        changes: Whether the outcome is unknown where the answer is lost.
        signed: Whether it needs a session.
    """

    method: str
    path: str
    decode: Callable[[bytes], T]
    repeat: Repeat = IDEMPOTENT
    changes: bool = False
    signed: bool = True


def _decoder(answer: Any) -> Callable[[bytes], Any]:
    # Not strict: numbers come as text ("1234") and as 12.0 from some versions and databases.
    return msgspec.json.Decoder(answer, strict=False).decode


def _get(path: str, answer: type[T], *, signed: bool = True) -> Endpoint[T]:
    return Endpoint("GET", path, _decoder(answer), signed=signed)


def _post(path: str, answer: type[T]) -> Endpoint[T]:
    return Endpoint("POST", path, _decoder(answer), CHANGE, changes=True)


def _delete(path: str) -> Endpoint[None]:
    return Endpoint("DELETE", path, nothing, changes=True)


def _rows(path: str, row: type[T]) -> Endpoint[Rows[T]]:
    return _get(path, Rows[row])  # type: ignore[valid-type]  # a type that is known at run time


SYSTEM_FEATURES: Final = _get("/system-features", SystemFeatures, signed=False)
PROFILE: Final = _get("/account/profile", Account)

APPS: Final = _get("/apps", Page[App])
APP: Final = _get("/apps/{}", App)

APP_API_KEYS: Final = _rows("/apps/{}/api-keys", ApiKey)
NEW_APP_API_KEY: Final = _post("/apps/{}/api-keys", ApiKey)
DELETE_APP_API_KEY: Final = _delete("/apps/{}/api-keys/{}")
DATASET_API_KEYS: Final = _rows("/datasets/api-keys", DatasetApiKey)
NEW_DATASET_API_KEY: Final = _post("/datasets/api-keys", DatasetApiKey)
DELETE_DATASET_API_KEY: Final = _delete("/datasets/api-keys/{}")

CHAT_CONVERSATIONS: Final = _get("/apps/{}/chat-conversations", Page[ChatConversation])

DAILY_CONVERSATIONS: Final = _rows("/apps/{}/statistics/daily-conversations", DailyConversations)
DAILY_END_USERS: Final = _rows("/apps/{}/statistics/daily-end-users", DailyEndUsers)
AVERAGE_SESSION_INTERACTIONS: Final = _rows(
    "/apps/{}/statistics/average-session-interactions", AverageSessionInteractions
)
TOKENS_PER_SECOND: Final = _rows("/apps/{}/statistics/tokens-per-second", TokensPerSecond)
USER_SATISFACTION_RATE: Final = _rows("/apps/{}/statistics/user-satisfaction-rate", UserSatisfactionRate)
TOKEN_COSTS: Final = _rows("/apps/{}/statistics/token-costs", TokenCosts)
DAILY_MESSAGES: Final = _rows("/apps/{}/statistics/daily-messages", DailyMessages)
AVERAGE_RESPONSE_TIME: Final = _rows("/apps/{}/statistics/average-response-time", AverageResponseTime)
WORKFLOW_DAILY_RUNS: Final = _rows("/apps/{}/workflow/statistics/daily-conversations", WorkflowDailyRuns)
WORKFLOW_DAILY_END_USERS: Final = _rows("/apps/{}/workflow/statistics/daily-terminals", DailyEndUsers)
WORKFLOW_TOKEN_COSTS: Final = _rows("/apps/{}/workflow/statistics/token-costs", WorkflowTokenCosts)
WORKFLOW_AVERAGE_INTERACTIONS: Final = _rows(
    "/apps/{}/workflow/statistics/average-app-interactions", AverageSessionInteractions
)
