"""Conversations of apps, as the console's log shows them."""

from __future__ import annotations

from msgspec import Struct


class FeedbackStats(Struct, frozen=True, kw_only=True):
    """How many messages of a conversation were liked and disliked."""

    like: int = 0
    dislike: int = 0


class StatusCount(Struct, frozen=True, kw_only=True):
    """Workflow runs of a conversation by outcome; None where none ran. `paused` from 1.13."""

    success: int | None = None
    failed: int | None = None
    partial_success: int | None = None
    paused: int | None = None


class ChatConversation(Struct, frozen=True, kw_only=True):
    """A conversation of an app of mode chat, agent-chat or advanced-chat. Times are unix seconds.

    Attributes:
        from_source: "api" for end users, "console" for people signed in to the console.
        from_end_user_session_id: The user's name as the calling application gave it.
        summary: The first query where the conversation has no summary.
        read_at: When somebody opened it in the console, or None.
        message_count: Its messages.
    """

    id: str
    status: str | None = None
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_end_user_session_id: str | None = None
    from_account_id: str | None = None
    from_account_name: str | None = None
    name: str | None = None
    summary: str | None = None
    read_at: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    annotated: bool | None = None
    model_config: dict[str, object] | None = None
    message_count: int | None = None
    user_feedback_stats: FeedbackStats | None = None
    admin_feedback_stats: FeedbackStats | None = None
    status_count: StatusCount | None = None
