"""Conversations of apps, as in the console's log."""

from __future__ import annotations

from .base import DifyModel


class FeedbackStats(DifyModel, frozen=True, kw_only=True):
    """The numbers of likes and dislikes in a conversation."""

    like: int = 0
    dislike: int = 0


class StatusCount(DifyModel, frozen=True, kw_only=True):
    """Workflow runs per status; None if there are none.

    Attributes:
        success: Runs that succeeded.
        failed: Runs that failed.
        partial_success: Runs that succeeded although nodes failed.
        paused: Runs that wait for input. From Dify 1.13.
    """

    success: int | None = None
    failed: int | None = None
    partial_success: int | None = None
    paused: int | None = None


class ChatConversation(DifyModel, frozen=True, kw_only=True):
    """A conversation of a chat, agent-chat or advanced-chat app. Times are Unix seconds.

    Attributes:
        from_source: "api" for end users, "console" for users of the console.
        from_end_user_session_id: The end user's name, as given by the calling application.
        summary: The first query if the conversation has no summary.
        read_at: When a user of the console opened it, or None.
        model_config: The model, and the prompt; None for advanced-chat apps.
        message_count: The number of messages.
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
