"""The messages that users send to the apps: generated, and the same in every run."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from dify_async.testing._console.history import CONSOLE_USERS, MAX_HISTORIES, History, Message
from dify_async.testing._console.models import FakeApp

DAYS = 400  # of traffic, up to the last day
BUSY_DAY = 10  # a day with this many messages has one in its last minute
_SUNDAY = 6
_SINGLE_MESSAGE_MODES = ("completion", "workflow")  # each message is a separate conversation
_ONE_DAY = timedelta(days=1)
_CONVERSATIONS_PER_DAY = 10**6  # at most
_TOKENS_PER_RUN = 20  # times the tokens of a message

# Shares of days
_UNUSED_DAYS = 0.08
_UNPRICED_DAYS = 0.02  # prices unknown
_FREE_DAYS = 0.05  # includes the unpriced ones; the rest use a free model

# Shares of days with traffic, for apps with conversations
_CONTINUED_DAYS = 0.6  # a conversation of the previous day goes on
_DEBUG_DAYS = 0.3  # messages from the console's editor

# Shares of messages
_NEW_CONVERSATION = 0.4
_FROM_CONSOLE = 0.05
_LIKED = 0.2


@dataclass(slots=True)
class Totals:
    """The sums over a day, or a part of one."""

    messages: int
    conversations: int
    opened: int
    opened_messages: int
    users: int
    tokens: int
    answer_tokens: int
    price: int | None
    latency: int
    likes: int

    @classmethod
    def from_messages(cls, messages: Iterable[Message]) -> Self:
        """Sum up messages."""
        rows = list(messages)
        prices = [row.price for row in rows if row.price is not None]
        return cls(
            messages=len(rows),
            conversations=len({row.conversation for row in rows}),
            opened=sum(row.opens > 0 for row in rows),
            opened_messages=sum(row.opens for row in rows),
            users=len({row.user for row in rows if row.user >= 0}),
            tokens=sum(row.tokens for row in rows),
            answer_tokens=sum(row.answer_tokens for row in rows),
            price=sum(prices) if prices else None,
            latency=sum(row.latency for row in rows),
            likes=sum(row.liked for row in rows),
        )


class _Day(NamedTuple):
    start: int
    end: int
    messages: list[Message]
    totals: Totals
    totals_without_debug: Totals


@lru_cache(maxsize=4)
def shared_traffic(seed: int, zone: ZoneInfo, today: date) -> "Traffic":
    """The traffic for these arguments, shared by all fakes: a test suite starts hundreds of equal ones."""
    return Traffic(seed, zone, today)


class Traffic:
    """All messages; days are calendar days in the requested time zone."""

    def __init__(self, seed: int, zone: ZoneInfo, today: date) -> None:
        self._seed, self._zone = seed, zone
        self._dates = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        self._drawn: dict[tuple[str, str, int, date], list[Message]] = {}
        self._continued: dict[tuple[str, str, int, date], tuple[list[Message], list[Message]]] = {}
        self._made: dict[tuple[str, str, int, date], list[Message]] = {}
        self._days: dict[tuple[str, str, int, str, date], _Day] = {}
        self._histories: dict[tuple[str, str, int], History] = {}

    def history(self, app: FakeApp) -> History:
        """All messages of an app. They depend only on its id, mode and `messages_per_day`."""
        key = (app.id, app.mode, app.messages_per_day)
        history = self._histories.pop(key, None)
        if history is None:
            history = History(app.id, (row for day in self._dates for row in self._make(app, day)))
        self._histories[key] = history  # least recently used first
        if len(self._histories) > MAX_HISTORIES:
            del self._histories[next(iter(self._histories))]
        return history

    def days(
        self, app: FakeApp, zone: ZoneInfo, start: int | None, end: int | None, *, debug: bool
    ) -> Iterator[tuple[date, Totals]]:
        """The totals of each local day from `start` to `end`, which is exclusive.

        Messages sent while debugging are included with `debug` only.
        """
        first = _midnight(self._dates[0], self._zone)
        last = _midnight(self._dates[-1] + _ONE_DAY, self._zone)
        low = first if start is None else max(start, first)
        high = last if end is None else min(end, last)
        if low >= high:
            return
        local = datetime.fromtimestamp(low, zone).date()
        while (day := self._day(app, zone, local)).start < high:
            if low <= day.start and day.end <= high:
                yield local, day.totals if debug else day.totals_without_debug
            else:
                rows = (row for row in day.messages if low <= row.at < high and (debug or not row.debug))
                yield local, Totals.from_messages(rows)
            local += _ONE_DAY

    def _day(self, app: FakeApp, zone: ZoneInfo, local: date) -> _Day:
        key = (app.id, app.mode, app.messages_per_day, zone.key, local)
        day = self._days.get(key)
        if day is None:
            start, end = _midnight(local, zone), _midnight(local + _ONE_DAY, zone)
            made = datetime.fromtimestamp(start, self._zone).date()
            rows = [
                row
                for shift in range(3)
                for row in self._make(app, made + timedelta(days=shift))
                if start <= row.at < end
            ]
            totals = without = Totals.from_messages(rows)
            if any(row.debug for row in rows):
                without = Totals.from_messages(row for row in rows if not row.debug)
            day = self._days[key] = _Day(start, end, rows, totals, without)
        return day

    def _make(self, app: FakeApp, day: date) -> list[Message]:
        if not self._dates[0] <= day <= self._dates[-1]:
            return []
        key = (app.id, app.mode, app.messages_per_day, day)
        rows = self._made.get(key)
        if rows is None:
            rows = [*self._join(app, day), *self._debug(app, day)] if app.messages_per_day else []
            rows = self._made[key] = sorted(rows, key=lambda row: row.at)
        return rows

    def _join(self, app: FakeApp, day: date) -> Iterator[Message]:
        """The messages of users on a day, with the conversations that go on from one day to the next."""
        begun, continued = self._continuation(app, day)
        _, next_day = self._continuation(app, day + _ONE_DAY)
        for row in self._drawn_on(app, day):
            if row in continued:
                yield row._replace(conversation=begun[0].conversation, user=begun[0].user, opens=0)
            elif row.opens and row.conversation == _conversation(day, 0):
                yield row._replace(opens=row.opens + len(next_day))
            else:
                yield row

    def _continuation(self, app: FakeApp, day: date) -> tuple[list[Message], list[Message]]:
        """The first conversation of the day before, and the messages that continue it; often none."""
        key = (app.id, app.mode, app.messages_per_day, day)
        found = self._continued.get(key)
        if found is None:
            found = self._continued[key] = self._find_continuation(app, day)
        return found

    def _find_continuation(self, app: FakeApp, day: date) -> tuple[list[Message], list[Message]]:
        yesterday = day - _ONE_DAY
        if app.mode in _SINGLE_MESSAGE_MODES or self._random(app, day, "continued")() >= _CONTINUED_DAYS:
            return [], []
        begun, continued = (
            [row for row in self._drawn_on(app, one) if row.conversation == _conversation(one, number)]
            for one, number in ((yesterday, 0), (day, 1))
        )
        return (begun, continued) if begun and continued else ([], [])

    def _debug(self, app: FakeApp, day: date) -> Iterator[Message]:
        """A conversation in the console's editor."""
        if app.mode == "workflow" or not self._drawn_on(app, day):
            return
        draw = self._random(app, day, "debug")
        if draw() >= _DEBUG_DAYS:
            return
        count = 1 if app.mode in _SINGLE_MESSAGE_MODES else 1 + int(2 * draw())
        at, user = _midnight(day, self._zone) + int(80_000 * draw()), -1 - int(len(CONSOLE_USERS) * draw())
        for number in range(count):
            yield Message(
                at=at + 60 * number,
                conversation=_conversation(day, _CONVERSATIONS_PER_DAY - 1),
                opens=0 if number else count,
                user=user,
                tokens=70,
                answer_tokens=30,
                price=240,
                latency=900,
                liked=False,
                debug=True,
            )

    def _drawn_on(self, app: FakeApp, day: date) -> list[Message]:
        if not self._dates[0] <= day <= self._dates[-1]:
            return []
        key = (app.id, app.mode, app.messages_per_day, day)
        rows = self._drawn.get(key)
        if rows is None:
            rows = self._drawn[key] = list(self._draw(app, day))
        return rows

    def _random(self, app: FakeApp, day: date, *purpose: str) -> Callable[[], float]:
        return Random("/".join([str(self._seed), app.id, str(day), *purpose])).random  # noqa: S311 - generated

    def _draw(self, app: FakeApp, day: date) -> Iterator[Message]:
        draw = self._random(app, day)
        if not app.messages_per_day or day.weekday() == _SUNDAY or draw() < _UNUSED_DAYS:
            return
        count = 1 + int(app.messages_per_day * (0.5 + draw()))
        start, end = _midnight(day, self._zone), _midnight(day + _ONE_DAY, self._zone)
        # The mean of two draws: most messages are sent around noon.
        times = sorted(start + int((end - start - 60) * (draw() + draw()) / 2) for _ in range(count))
        if count >= BUSY_DAY:
            times[-1] = end - 30
        pricing = draw()
        conversations = list(_assign_conversations(app, count, draw))
        sizes = Counter(number for number, _ in conversations)
        weight = _TOKENS_PER_RUN if app.mode == "workflow" else 1
        for at, (conversation, user) in zip(times, conversations, strict=True):
            prompt, answer = int(weight * (40 + 400 * draw())), int(weight * (30 + 300 * draw()))
            cost = 0 if pricing < _FREE_DAYS else (3 * prompt + 12 * answer) // 2
            yield Message(
                at=at,
                conversation=_conversation(day, conversation),
                opens=sizes.pop(conversation, 0),
                user=user,
                tokens=prompt + answer,
                answer_tokens=answer,
                price=None if pricing < _UNPRICED_DAYS else cost,
                latency=int(answer * (10 + 25 * draw())),
                liked=draw() < _LIKED,
            )


def _assign_conversations(app: FakeApp, count: int, draw: Callable[[], float]) -> Iterator[tuple[int, int]]:
    """The conversation and the user of each message; a user may have several conversations."""
    users: list[int] = []
    for _ in range(count):
        if not users or app.mode in _SINGLE_MESSAGE_MODES or draw() < _NEW_CONVERSATION:
            conversation = len(users)
            is_console = draw() < _FROM_CONSOLE
            console_user = -1 - conversation % len(CONSOLE_USERS)
            users.append(console_user if is_console else int(draw() * 2 * app.messages_per_day))
        else:
            conversation = int(draw() * len(users))
        yield conversation, users[conversation]


def _conversation(day: date, number: int) -> int:
    """The number of the n-th conversation that begins on a day."""
    return day.toordinal() * _CONVERSATIONS_PER_DAY + number


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
