"""Routes of which only what usage needs is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dify_async._api import endpoints
from dify_async._api.endpoints import Endpoint, newest_first
from dify_async._http.wire import lazy_decoder
from dify_async.models import Page
from dify_async.models.usage import UsageConversation, UsageLog, UsageMessage

if TYPE_CHECKING:
    from typing import Any

T = TypeVar("T")


def _pages_of(row: type[T], endpoint: Endpoint[Any]) -> Endpoint[Page[T]]:
    decode = lazy_decoder(Page[row])  # type: ignore[valid-type]  # the type is known only at run time
    return Endpoint(endpoint.method, endpoint.path, decode, endpoint.safety)


CONVERSATIONS: Final = _pages_of(UsageConversation, endpoints.CHAT_CONVERSATIONS)
COMPLETIONS: Final = _pages_of(UsageConversation, endpoints.COMPLETION_CONVERSATIONS)
LOGS: Final = _pages_of(UsageLog, endpoints.WORKFLOW_APP_LOGS)
MESSAGES: Final = newest_first(endpoints.CHAT_MESSAGES.path, UsageMessage)
