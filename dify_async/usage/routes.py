"""Routes of which only what usage needs is decoded."""

from __future__ import annotations

from typing import Final

from dify_async._api import endpoints
from dify_async.models import CursorPage, Page
from dify_async.models.usage import UsageConversation, UsageLog, UsageMessage

CONVERSATIONS: Final = endpoints.CHAT_CONVERSATIONS.decoded_to(lambda: Page[UsageConversation])
COMPLETIONS: Final = endpoints.COMPLETION_CONVERSATIONS.decoded_to(lambda: Page[UsageConversation])
LOGS: Final = endpoints.WORKFLOW_APP_LOGS.decoded_to(lambda: Page[UsageLog])
MESSAGES: Final = endpoints.CHAT_MESSAGES.decoded_to(lambda: CursorPage[UsageMessage])
