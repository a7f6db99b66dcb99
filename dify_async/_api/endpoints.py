"""The routes of Dify's console API that the client calls, as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from msgspec import Struct

from dify_async._http.retry import IDEMPOTENT, SAFE, SEND_ONCE, UNSAFE, Safety
from dify_async._http.wire import decode_empty
from dify_async._http.wire import lazy_decoder as _decoder
from dify_async.models import (
    Account,
    Annotation,
    ApiKey,
    App,
    AppImport,
    ChatConversation,
    ChatMessage,
    CompletionConversation,
    CursorPage,
    Dataset,
    DatasetApiKey,
    Features,
    IndexingStatus,
    Page,
    SetupStatus,
    SystemFeatures,
    Workflow,
    WorkflowAppLog,
    WorkflowRun,
    WorkflowRunDetail,
    Workspace,
)
from dify_async.models.base import Rows, Text
from dify_async.models.knowledge import ErrorDocuments
from dify_async.models.usage import UsageNode
from dify_async.models.workflows import Published
from dify_async.models.workspace import Invitations, Members, SwitchedWorkspace, Workspaces
from dify_async.statistics.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Endpoint(Struct, Generic[T], frozen=True, eq=False):
    """One route.

    Attributes:
        path: The path below /console/api, with {} for each id.
        decode: The decoder of the response.
        safety: Whether the call changes something, and when it is retried.
        authenticated: Whether the call requires credentials.
    """

    method: str
    path: str
    decode: Callable[[bytes], T]
    safety: Safety
    authenticated: bool = True


def _get(path: str, model: type[T], *, authenticated: bool = True) -> Endpoint[T]:
    return Endpoint("GET", path, _decoder(model), SAFE, authenticated)


def _post(path: str, model: type[T], method: str = "POST") -> Endpoint[T]:
    return Endpoint(method, path, _decoder(model), UNSAFE)


def _command(path: str) -> Endpoint[None]:
    """A POST whose response is empty."""
    return Endpoint("POST", path, decode_empty, UNSAFE)


def _delete(path: str) -> Endpoint[None]:
    return Endpoint("DELETE", path, decode_empty, IDEMPOTENT)


class _Identified(Struct, frozen=True):
    id: str | None = None


def _get_or_none(path: str, model: type[T]) -> Endpoint[T | None]:
    """A GET of something that may be missing: then it is an object of nulls, or null from 1.15."""
    decode, has_id = _decoder(model), _decoder(_Identified | None)

    def read(body: bytes) -> T | None:
        found: _Identified | None = has_id(body)
        return None if found is None or found.id is None else decode(body)

    return Endpoint("GET", path, read, SAFE)


def _rows(path: str, row: type[T]) -> Endpoint[Rows[T]]:
    return _get(path, Rows[row])  # type: ignore[valid-type]  # the type is known only at run time


SYSTEM_FEATURES: Final = _get("/system-features", SystemFeatures, authenticated=False)
SETUP: Final = _get("/setup", SetupStatus, authenticated=False)
FEATURES: Final = _get("/features", Features)
PROFILE: Final = _get("/account/profile", Account)
TIMEZONE: Final = _post("/account/timezone", Account)
UPDATE_PROFILE: Final = _post("/account/profile", Account, "PATCH")
LOGIN_CODE: Final[Endpoint[Text]] = Endpoint(
    "POST", "/email-code-login", _decoder(Text), SEND_ONCE, authenticated=False
)

WORKSPACES: Final = _get("/workspaces", Workspaces)
WORKSPACE_SUMMARY: Final = _get("/workspaces/current/summary", Workspace)
# From 1.10.1 to 1.16 a POST, which changes nothing.
CURRENT_WORKSPACE: Final = Endpoint("POST", "/workspaces/current", _decoder(Workspace), SAFE)
CURRENT_WORKSPACE_GET: Final = _get("/workspaces/current", Workspace)
SWITCH_WORKSPACE: Final = _post("/workspaces/switch", SwitchedWorkspace)
MEMBERS: Final = _get("/workspaces/current/members", Members)
INVITE_MEMBERS: Final = _post("/workspaces/current/members/invite-email", Invitations)

APPS: Final = _get("/apps", Page[App])
APP: Final = _get("/apps/{}", App)
NEW_APP: Final = _post("/apps", App)
UPDATE_APP: Final = _post("/apps/{}", App, "PUT")
DELETE_APP: Final = _delete("/apps/{}")
COPY_APP: Final = _post("/apps/{}/copy", App)
MODEL_CONFIG: Final = _command("/apps/{}/model-config")
ENABLE_API: Final = _post("/apps/{}/api-enable", App)
ENABLE_SITE: Final = _post("/apps/{}/site-enable", App)
EXPORT_APP: Final = _get("/apps/{}/export", Text)
IMPORT_APP: Final = _post("/apps/imports", AppImport)
CONFIRM_IMPORT: Final = _post("/apps/imports/{}/confirm", AppImport)

PUBLISH_WORKFLOW: Final = _post("/apps/{}/workflows/publish", Published)
PUBLISHED_WORKFLOW: Final = _get_or_none("/apps/{}/workflows/publish", Workflow)
WORKFLOW_RUNS: Final = _get("/apps/{}/workflow-runs", CursorPage[WorkflowRun])
WORKFLOW_RUN: Final = _get_or_none("/apps/{}/workflow-runs/{}", WorkflowRunDetail)
WORKFLOW_APP_LOGS: Final = _get("/apps/{}/workflow-app-logs", Page[WorkflowAppLog])

APP_API_KEYS: Final = _rows("/apps/{}/api-keys", ApiKey)
NEW_APP_API_KEY: Final = _post("/apps/{}/api-keys", ApiKey)
DELETE_APP_API_KEY: Final = _delete("/apps/{}/api-keys/{}")
DATASET_API_KEYS: Final = _rows("/datasets/api-keys", DatasetApiKey)
NEW_DATASET_API_KEY: Final = _post("/datasets/api-keys", DatasetApiKey)
DELETE_DATASET_API_KEY: Final = _delete("/datasets/api-keys/{}")

DATASETS: Final = _get("/datasets", Page[Dataset])
DATASET_INDEXING_STATUS: Final = _rows("/datasets/{}/indexing-status", IndexingStatus)
DOCUMENT_INDEXING_STATUS: Final = _get("/datasets/{}/documents/{}/indexing-status", IndexingStatus)
ERROR_DOCUMENTS: Final = _get("/datasets/{}/error-docs", ErrorDocuments)
RETRY_DOCUMENTS: Final = _command("/datasets/{}/retry")

CHAT_CONVERSATIONS: Final = _get("/apps/{}/chat-conversations", Page[ChatConversation])
COMPLETION_CONVERSATIONS: Final = _get("/apps/{}/completion-conversations", Page[CompletionConversation])
CHAT_MESSAGES: Final = _get("/apps/{}/chat-messages", CursorPage[ChatMessage])
NODE_EXECUTIONS: Final = _rows("/apps/{}/workflow-runs/{}/node-executions", UsageNode)
ANNOTATIONS: Final = _get("/apps/{}/annotations", Page[Annotation])
FEEDBACKS: Final = Endpoint("GET", "/apps/{}/feedbacks/export", bytes, SAFE)  # JSON or CSV

STATISTICS: Final[Mapping[Metric, Endpoint[Rows[Any]]]] = {
    metric: _rows(f"/apps/{{}}/{metric.route}", metric.row_type) for metric in Metric
}
