"""The routes of Dify's console API that the client calls, as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from msgspec import Struct

from dify_async import models
from dify_async._http.retry import IDEMPOTENT, SAFE, SEND_ONCE, UNSAFE, Safety
from dify_async._http.wire import decode_empty, decoder_of
from dify_async.models.base import CursorPage, Page, Rows, Text
from dify_async.statistics.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
ModelT = TypeVar("ModelT")

Decode = Callable[[bytes], T]


class Endpoint(Struct, Generic[T], frozen=True, eq=False):
    """One route.

    Attributes:
        path: The path below /console/api, with {} for each id.
        decoder: Returns the function that decodes responses. The first time, it imports the type of the
            response and creates the decoder. To do that for all routes takes longer than to import the rest
            of the package.
        safety: Whether the call changes something, and when it is retried.
        authenticated: Whether the call requires credentials.
    """

    method: str
    path: str
    decoder: Callable[[], Decode[T]]
    safety: Safety
    authenticated: bool = True

    def decoded_to(self, model: Callable[[], type[ModelT]]) -> Endpoint[ModelT]:
        """The same route, whose responses are decoded to another type."""
        return Endpoint(self.method, self.path, _decoder(model), self.safety, self.authenticated)


def _decoder(model: Callable[[], type[T]]) -> Callable[[], Decode[T]]:
    return cache(lambda: decoder_of(model()))


def _get(path: str, model: Callable[[], type[T]], *, authenticated: bool = True) -> Endpoint[T]:
    return Endpoint("GET", path, _decoder(model), SAFE, authenticated)


def _post(path: str, model: Callable[[], type[T]], method: str = "POST") -> Endpoint[T]:
    return Endpoint(method, path, _decoder(model), UNSAFE)


def _command(path: str) -> Endpoint[None]:
    """A POST whose response is empty."""
    return Endpoint("POST", path, lambda: decode_empty, UNSAFE)


def _delete(path: str) -> Endpoint[None]:
    return Endpoint("DELETE", path, lambda: decode_empty, IDEMPOTENT)


class _Identified(Struct, frozen=True):
    id: str | None = None


def _get_or_none(path: str, model: Callable[[], type[T]]) -> Endpoint[T | None]:
    """A GET of something that may be missing: then it is an object of nulls, or null from 1.15."""

    @cache
    def decoder() -> Decode[T | None]:
        decode, has_id = decoder_of(model()), decoder_of(_Identified | None)

        def read(body: bytes) -> T | None:
            found: _Identified | None = has_id(body)
            return None if found is None or found.id is None else decode(body)

        return read

    return Endpoint("GET", path, decoder, SAFE)


def _statistic(metric: Metric) -> Endpoint[Rows[Any]]:
    return _get(f"/apps/{{}}/{metric.route}", lambda: Rows[metric.row_type])  # type: ignore[name-defined]  # known only at run time


SYSTEM_FEATURES: Final = _get("/system-features", lambda: models.SystemFeatures, authenticated=False)
SETUP: Final = _get("/setup", lambda: models.SetupStatus, authenticated=False)
FEATURES: Final = _get("/features", lambda: models.Features)
PROFILE: Final = _get("/account/profile", lambda: models.Account)
TIMEZONE: Final = _post("/account/timezone", lambda: models.Account)
UPDATE_PROFILE: Final = _post("/account/profile", lambda: models.Account, "PATCH")
LOGIN_CODE: Final[Endpoint[Text]] = Endpoint(
    "POST", "/email-code-login", _decoder(lambda: Text), SEND_ONCE, authenticated=False
)

WORKSPACES: Final = _get("/workspaces", lambda: models.workspace.Workspaces)
WORKSPACE_SUMMARY: Final = _get("/workspaces/current/summary", lambda: models.Workspace)
# From 1.10.1 to 1.16 a POST, which changes nothing.
CURRENT_WORKSPACE: Final = Endpoint("POST", "/workspaces/current", _decoder(lambda: models.Workspace), SAFE)
CURRENT_WORKSPACE_GET: Final = _get("/workspaces/current", lambda: models.Workspace)
SWITCH_WORKSPACE: Final = _post("/workspaces/switch", lambda: models.workspace.SwitchedWorkspace)
MEMBERS: Final = _get("/workspaces/current/members", lambda: models.workspace.Members)
INVITE_MEMBERS: Final = _post(
    "/workspaces/current/members/invite-email", lambda: models.workspace.Invitations
)

APPS: Final = _get("/apps", lambda: Page[models.App])
APP: Final = _get("/apps/{}", lambda: models.App)
NEW_APP: Final = _post("/apps", lambda: models.App)
UPDATE_APP: Final = _post("/apps/{}", lambda: models.App, "PUT")
DELETE_APP: Final = _delete("/apps/{}")
COPY_APP: Final = _post("/apps/{}/copy", lambda: models.App)
MODEL_CONFIG: Final = _command("/apps/{}/model-config")
ENABLE_API: Final = _post("/apps/{}/api-enable", lambda: models.App)
ENABLE_SITE: Final = _post("/apps/{}/site-enable", lambda: models.App)
EXPORT_APP: Final = _get("/apps/{}/export", lambda: Text)
IMPORT_APP: Final = _post("/apps/imports", lambda: models.AppImport)
CONFIRM_IMPORT: Final = _post("/apps/imports/{}/confirm", lambda: models.AppImport)

PUBLISH_WORKFLOW: Final = _post("/apps/{}/workflows/publish", lambda: models.workflows.Published)
PUBLISHED_WORKFLOW: Final = _get_or_none("/apps/{}/workflows/publish", lambda: models.Workflow)
WORKFLOW_RUNS: Final = _get("/apps/{}/workflow-runs", lambda: CursorPage[models.WorkflowRun])
WORKFLOW_RUN: Final = _get_or_none("/apps/{}/workflow-runs/{}", lambda: models.WorkflowRunDetail)
WORKFLOW_APP_LOGS: Final = _get("/apps/{}/workflow-app-logs", lambda: Page[models.WorkflowAppLog])

APP_API_KEYS: Final = _get("/apps/{}/api-keys", lambda: Rows[models.ApiKey])
NEW_APP_API_KEY: Final = _post("/apps/{}/api-keys", lambda: models.ApiKey)
DELETE_APP_API_KEY: Final = _delete("/apps/{}/api-keys/{}")
DATASET_API_KEYS: Final = _get("/datasets/api-keys", lambda: Rows[models.DatasetApiKey])
NEW_DATASET_API_KEY: Final = _post("/datasets/api-keys", lambda: models.DatasetApiKey)
DELETE_DATASET_API_KEY: Final = _delete("/datasets/api-keys/{}")

DATASETS: Final = _get("/datasets", lambda: Page[models.Dataset])
DATASET_INDEXING_STATUS: Final = _get("/datasets/{}/indexing-status", lambda: Rows[models.IndexingStatus])
DOCUMENT_INDEXING_STATUS: Final = _get(
    "/datasets/{}/documents/{}/indexing-status", lambda: models.IndexingStatus
)
ERROR_DOCUMENTS: Final = _get("/datasets/{}/error-docs", lambda: models.knowledge.ErrorDocuments)
RETRY_DOCUMENTS: Final = _command("/datasets/{}/retry")

CHAT_CONVERSATIONS: Final = _get("/apps/{}/chat-conversations", lambda: Page[models.ChatConversation])
COMPLETION_CONVERSATIONS: Final = _get(
    "/apps/{}/completion-conversations", lambda: Page[models.CompletionConversation]
)
CHAT_MESSAGES: Final = _get("/apps/{}/chat-messages", lambda: CursorPage[models.ChatMessage])
NODE_EXECUTIONS: Final = _get(
    "/apps/{}/workflow-runs/{}/node-executions", lambda: Rows[models.usage.UsageNode]
)
ANNOTATIONS: Final = _get("/apps/{}/annotations", lambda: Page[models.Annotation])
FEEDBACKS: Final = Endpoint("GET", "/apps/{}/feedbacks/export", lambda: bytes, SAFE)  # JSON or CSV

STATISTICS: Final[Mapping[Metric, Endpoint[Rows[Any]]]] = {metric: _statistic(metric) for metric in Metric}
