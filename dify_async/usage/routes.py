"""Routes of which only what usage needs is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dify_async._api import endpoints
from dify_async._api.endpoints import Endpoint
from dify_async._http.wire import lazy_decoder
from dify_async.models import CursorPage, Page
from dify_async.models.usage import UsageConversation, UsageLog, UsageMessage

if TYPE_CHECKING:
    from typing import Any

T = TypeVar("T")


def _decoded_to(answer: type[T], endpoint: Endpoint[Any]) -> Endpoint[T]:
    return Endpoint(endpoint.method, endpoint.path, lazy_decoder(answer), endpoint.safety)


CONVERSATIONS: Final = _decoded_to(Page[UsageConversation], endpoints.CHAT_CONVERSATIONS)
COMPLETIONS: Final = _decoded_to(Page[UsageConversation], endpoints.COMPLETION_CONVERSATIONS)
LOGS: Final = _decoded_to(Page[UsageLog], endpoints.WORKFLOW_APP_LOGS)
MESSAGES: Final = _decoded_to(CursorPage[UsageMessage], endpoints.CHAT_MESSAGES)
