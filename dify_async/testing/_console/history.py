"""The messages of one app, grouped and indexed once for all calls that read them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, Self, TypeVar

from dify_async.testing._console.models import make_id

MAX_HISTORIES = 64  # apps whose history is kept at a time
CONSOLE_USERS = ("the owner", "Ada Byron", "Bo Li")  # -1, -2 and -3; all but the owner have left
_FAILED_RUNS = 17  # one run in this many fails
Key = TypeVar("Key")


class Message(NamedTuple):
    """One message, or one run of a workflow."""

    at: int  # unix seconds
    conversation: int
    opens: int  # messages in the conversation, if this is its first one; else 0
    user: int  # negative: a console user, who is not an end user; see `CONSOLE_USERS`
    tokens: int
    answer_tokens: int
    price: int | None  # in 0.0000001 USD
    latency: int  # milliseconds
    liked: bool
    question: str = ""  # by default, derived from the conversation, as are the other two
    answer: str = ""
    status: str = ""  # of a workflow run
    debug: bool = False  # sent in the console's editor; left out of the statistics from Dify 1.9


class EndUser(int):
    """An end user whose session id is given instead of derived from the number."""

    session: str

    def __new__(cls, number: int, session: str) -> Self:
        """The user with this number."""
        user = super().__new__(cls, number)
        user.session = session
        return user


class Conversation(NamedTuple):
    """The facts of a conversation; its texts are derived from its number."""

    number: int
    user: int
    created_at: int
    updated_at: int
    messages: int
    likes: int
    question: str  # the first one; derived from the number if it is empty


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
                question=rows[0].question,
            )
            for rows in self.by_conversation.values()
        ]

    @cached_property
    def updated_conversations(self) -> list[Conversation]:
        """Ordered by the last message."""
        return sorted(self.conversations, key=lambda row: row.updated_at)

    @cached_property
    def without_debug(self) -> "History":
        """The same without the messages that were sent in the console's editor."""
        return History(self._app_id, (row for row in self.messages if not row.debug))

    @cached_property
    def liked(self) -> list[Message]:
        """The messages that a user liked."""
        return [row for row in self.messages if row.liked]

    @cached_property
    def by_run(self) -> dict[str, Message]:
        """The runs of a workflow, by id."""
        return {run_id(self._app_id, row): row for row in self.messages}

    @cached_property
    def by_user(self) -> dict[int, list[Message]]:
        """The messages of each user."""
        return _grouped((row.user, row) for row in self.messages)

    def runs(self, status: str | None) -> Sequence[Message]:
        """The runs of a workflow with this status; all of them without one."""
        return self.messages if status is None else self._by_status.get(status, ())

    @cached_property
    def _by_status(self) -> dict[str, list[Message]]:
        return _grouped((run_status(row), row) for row in self.messages)


def _grouped(pairs: Iterable[tuple[Key, Message]]) -> dict[Key, list[Message]]:
    groups: dict[Key, list[Message]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return dict(groups)


def conversation_id(app_id: str, number: int) -> str:
    """The id of a conversation."""
    return make_id(app_id, "conversation", number)


def run_id(app_id: str, run: Message) -> str:
    """The id of a workflow run."""
    return make_id(app_id, "run", run.conversation, run.at)


def run_status(run: Message) -> str:
    """The status of a workflow run."""
    return run.status or ("failed" if run.at % _FAILED_RUNS == 0 else "succeeded")


def session_id(user: int) -> str:
    """The id that the app's service gave an end user."""
    return user.session if isinstance(user, EndUser) else f"user-{user:03}"
