"""The messages in conversations. Times are Unix seconds."""

from __future__ import annotations

from .base import DifyModel
from .conversations import FeedbackStats
from .people import WorkspaceUser


class CompletionMessage(DifyModel, frozen=True, kw_only=True):
    """The query and the answer in a completion conversation.

    Attributes:
        message: The prompt that was sent to the model.
    """

    inputs: dict[str, object] | None = None
    query: str | None = None
    message: object = None
    answer: str | None = None


class CompletionConversation(DifyModel, frozen=True, kw_only=True):
    """A conversation of a completion app, which has one message.

    Attributes:
        from_source: "api" for end users, "console" for console users.
        from_end_user_session_id: The end user's name, as given by the calling application.
        read_at: When a console user opened the conversation, or None.
        annotation: The answer written by a person, if there is one.
        model_config: The model, and the prompt.
        message: The query and the answer.
    """

    id: str
    status: str | None = None
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_end_user_session_id: str | None = None
    from_account_id: str | None = None
    from_account_name: str | None = None
    read_at: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    annotation: dict[str, object] | None = None
    model_config: dict[str, object] | None = None
    user_feedback_stats: FeedbackStats | None = None
    admin_feedback_stats: FeedbackStats | None = None
    message: CompletionMessage | None = None


class Feedback(DifyModel, frozen=True, kw_only=True):
    """Feedback on an answer.

    Attributes:
        content: The comment, if there is one.
        from_account: The console user; None for end users.
    """

    rating: str | None = None
    content: str | None = None
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_account: WorkspaceUser | None = None


class MessageAnnotation(DifyModel, frozen=True, kw_only=True):
    """An answer written by a person, which replaces the model's answer.

    Attributes:
        content: The answer.
        account: The account that wrote it.
    """

    id: str
    question: str | None = None
    content: str | None = None
    account: WorkspaceUser | None = None
    created_at: int | None = None


class ChatMessage(DifyModel, frozen=True, kw_only=True):
    """A query and its answer.

    Attributes:
        message: The prompt that was sent to the model.
        provider_response_latency: The model's response time in seconds.
        annotation: The answer written by a person, if there is one.
        annotation_hit_history: The annotation that answered the query, if one did.
        agent_thoughts: The steps of an agent, with the tools that it called.
        message_files: The files of the query and the answer.
        metadata: The token usage and its price, if the server has them.
        parent_message_id: The message that this one follows in its conversation.
        extra_contents: Available from Dify 1.15.
    """

    id: str
    conversation_id: str | None = None
    inputs: dict[str, object] | None = None
    query: str | None = None
    message: object = None
    message_tokens: int | None = None
    answer: str | None = None
    answer_tokens: int | None = None
    provider_response_latency: float | None = None
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_account_id: str | None = None
    feedbacks: list[Feedback] | None = None
    workflow_run_id: str | None = None
    annotation: MessageAnnotation | None = None
    annotation_hit_history: dict[str, object] | None = None
    created_at: int | None = None
    agent_thoughts: list[dict[str, object]] | None = None
    message_files: list[dict[str, object]] | None = None
    metadata: dict[str, object] | None = None
    status: str | None = None
    error: str | None = None
    parent_message_id: str | None = None
    extra_contents: list[object] | None = None


class Annotation(DifyModel, frozen=True, kw_only=True):
    """A question with an answer written by a person. `hit_count` is the number of times it was used."""

    id: str
    question: str | None = None
    answer: str | None = None
    hit_count: int | None = None
    created_at: int | None = None
