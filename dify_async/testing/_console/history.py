"""The messages of one app, grouped and indexed once for all calls that read them."""

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from dify_async.testing._console.accounts import make_id

MAX_HISTORIES = 64  # apps whose history is remembered at a time


class Message(NamedTuple):
    """One message, or one run of a workflow."""

    at: int  # unix seconds
    conversation: int
    opens: int  # how many messages the conversation has, if this is its first; else 0
    user: int  # -1: a console user, who is not an end user
    tokens: int
    answer_tokens: int
    price: int | None  # in 0.0000001 USD
    latency: int  # milliseconds
    liked: bool


class Conversation(NamedTuple):
    """The facts of a conversation; its texts follow from its number."""

    number: int
    user: int
    created_at: int
    updated_at: int
    messages: int
    likes: int


class History:
    """All messages of an app, oldest first. It never changes."""

    def __init__(self, app_id: str, messages: Iterable[Message]) -> None:
        self._app_id = app_id
        self.messages = tuple(messages)

    @cached_property
    def by_conversation(self) -> dict[str, list[Message]]:
        """The messages of each conversation, by its id."""
        found: dict[int, list[Message]] = {}
        for row in self.messages:
            found.setdefault(row.conversation, []).append(row)
        return {conversation_id(self._app_id, number): rows for number, rows in found.items()}

    @cached_property
    def conversations(self) -> list[Conversation]:
        """Ordered by creation."""
        return [
            Conversation(
                number=rows[0].conversation,
                user=rows[0].user,
                created_at=rows[0].at,
                updated_at=rows[-1].at,
                messages=len(rows),
                likes=sum(row.liked for row in rows),
            )
            for rows in self.by_conversation.values()
        ]

    @cached_property
    def updated_conversations(self) -> list[Conversation]:
        """Ordered by the last message."""
        return sorted(self.conversations, key=lambda row: row.updated_at)

    @cached_property
    def by_run(self) -> dict[str, Message]:
        """The runs of a workflow, by id."""
        return {run_id(self._app_id, row): row for row in self.messages}


def conversation_id(app_id: str, number: int) -> str:
    """The id of a conversation."""
    return make_id(app_id, "conversation", number)


def run_id(app_id: str, run: Message) -> str:
    """The id of a workflow run."""
    return make_id(app_id, "run", run.conversation, run.at)
