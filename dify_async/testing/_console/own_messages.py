"""Messages and workflow runs that a test adds."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from dify_async.testing._console import own_values
from dify_async.testing._console.history import EndUser, Message, conversation_id, run_id
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.state import State
from dify_async.testing._console.traffic import Traffic

Price = Decimal | float | str

_RUN_STATUSES: Final = ("succeeded", "failed", "stopped", "partial-succeeded")
# Multiples of small primes have annotations, dislikes and so on. Generated conversations have lower numbers.
_FIRST_CONVERSATION: Final = 30030 * 10**9 + 1
_NEXT_CONVERSATION: Final = 30030


class OwnTraffic(Traffic):
    """The generated traffic of one fake, and the messages that were added to it."""

    def __init__(self, seed: int, zone: ZoneInfo, today: date) -> None:
        super().__init__(seed, zone, today)
        self._conversations: dict[str, dict[int, list[Message]]] = {}  # by app id and number
        self._added: dict[str, dict[date, list[Message]]] = {}  # by app id; built when it is needed

    def add(self, app: FakeApp, message: Message, conversation: int | None = None) -> int:
        """Add a message to a conversation, or to a new one, and return the number of the conversation."""
        if conversation is None:
            count = sum(map(len, self._conversations.values()))
            conversation = _FIRST_CONVERSATION + _NEXT_CONVERSATION * count
        rows = self._conversations.setdefault(app.id, {}).setdefault(conversation, [])
        rows.append(message._replace(conversation=conversation))
        self._added.pop(app.id, None)
        self._days = {key: day for key, day in self._days.items() if key[0] != app.id}
        self._histories = {key: history for key, history in self._histories.items() if key[0] != app.id}
        return conversation

    def conversation(self, app: FakeApp, identifier: str) -> tuple[int, int]:
        """The number and the user of a conversation that was added."""
        for number, rows in self._conversations.get(app.id, {}).items():
            if conversation_id(app.id, number) == identifier:
                return number, rows[0].user
        raise ValueError(f"{identifier!r} is not a conversation that add_message() has started in this app.")

    def timestamp(self, at: datetime) -> int:
        """The time in unix seconds, if it is within the days of the traffic."""
        if not isinstance(at, datetime):
            raise ValueError(f"at must be a datetime, got {at!r}.")  # noqa: TRY004 - as for other values
        local = at.replace(tzinfo=self._zone) if at.tzinfo is None else at.astimezone(self._zone)
        first, last = self._dates[0], self._dates[-1]
        if not first <= local.date() <= last:
            raise ValueError(f"at must be from {first} to {last}, the days of this fake, got {at}.")
        return int(local.timestamp())

    def _make(self, app: FakeApp, day: date) -> list[Message]:
        rows = super()._make(app, day)
        if app.id not in self._conversations:
            return rows
        if app.id not in self._added:
            self._added[app.id] = self._by_day(self._conversations[app.id].values())
        return sorted([*rows, *self._added[app.id].get(day, ())], key=lambda row: row.at)

    def _by_day(self, conversations: Iterable[list[Message]]) -> dict[date, list[Message]]:
        days: dict[date, list[Message]] = defaultdict(list)
        for rows in conversations:
            first, *others = sorted(rows, key=lambda row: row.at)
            for row in (first._replace(opens=len(rows)), *others):
                days[datetime.fromtimestamp(row.at, self._zone).date()].append(row)
        return days


def add_message(
    state: State,
    app: FakeApp,
    at: datetime | None,
    *,
    conversation: str | None,
    user: str | None,
    question: str,
    answer: str,
    input_tokens: int,
    output_tokens: int,
    cost: Price | None,
    latency: float,
    liked: bool,
) -> str:
    """Add a message, and return the id of its conversation."""
    if app.mode == "workflow":
        raise ValueError("An app of mode 'workflow' has runs and no messages; use add_run().")
    if conversation is not None and app.mode == "completion":
        raise ValueError("Each message of a completion app is a separate conversation; omit `conversation`.")
    traffic = _own_traffic(state)
    sender = _end_user("visitor" if user is None else user)
    number: int | None = None
    if conversation is not None:
        number, owner = traffic.conversation(app, conversation)
        if user is not None and sender != owner:
            raise ValueError(f"The conversation belongs to another user than {user!r}.")
        sender = owner
    tokens = own_values.count("input_tokens", input_tokens) + own_values.count("output_tokens", output_tokens)
    message = Message(
        at=traffic.timestamp(state.now if at is None else at),
        conversation=0,
        opens=0,
        user=sender,
        tokens=tokens,
        answer_tokens=output_tokens,
        price=None if cost is None else own_values.price("cost", cost),
        latency=round(own_values.number("latency", latency) * 1000),
        liked=liked,
        question=question,
        answer=answer,
    )
    number = traffic.add(app, message, number)
    state.statistics.clear()
    return conversation_id(app.id, number)


def add_run(
    state: State, app: FakeApp, at: datetime | None, *, user: str, status: str, tokens: int, elapsed: float
) -> str:
    """Add a workflow run, and return its id."""
    if app.mode == "advanced-chat":
        raise ValueError("The runs of an advanced-chat app belong to its messages; use add_message().")
    if app.mode != "workflow":
        raise ValueError(f"An app of mode {app.mode!r} has no workflow runs; use add_message().")
    own_values.one_of("a status of a finished run", status, _RUN_STATUSES)
    traffic = _own_traffic(state)
    run = Message(
        at=traffic.timestamp(state.now if at is None else at),
        conversation=0,
        opens=0,
        user=_end_user(user),
        tokens=own_values.count("tokens", tokens),
        answer_tokens=0,
        price=None,
        latency=round(own_values.number("elapsed", elapsed) * 1000),
        liked=False,
        status=status,
    )
    run = run._replace(conversation=traffic.add(app, run))
    state.statistics.clear()
    return run_id(app.id, run)


def _own_traffic(state: State) -> OwnTraffic:
    """The traffic of this fake only: generated traffic is shared until something is added to it."""
    if not isinstance(state.traffic, OwnTraffic):
        state.traffic = OwnTraffic(state.seed, state.zone, state.today)
    return state.traffic


def _end_user(name: str) -> int:
    if not isinstance(name, str) or not name:
        raise ValueError(f"user must be the session id of an end user, got {name!r}.")
    digits = name.removeprefix("user-")
    if digits.isascii() and digits.isdecimal() and name == f"user-{int(digits):03}":
        return int(digits)  # one of the generated users
    return EndUser(int.from_bytes(sha256(name.encode()).digest()[:7]) + 10**6, name)
