"""The messages that users send to the apps: generated, and the same in every run."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from dify_async.testing._console.history import MAX_HISTORIES, History, Message
from dify_async.testing._console.models import FakeApp

DAYS = 400  # of traffic, up to the last day
BUSY_DAY = 10  # a day with this many messages has one in its last minute
_SUNDAY = 6
_SINGLE_MESSAGE_MODES = ("completion", "workflow")  # each message is a separate conversation
_TOKENS_PER_RUN = 20  # times the tokens of a message

# Shares of days
_UNUSED_DAYS = 0.08
_UNPRICED_DAYS = 0.02  # prices unknown
_FREE_DAYS = 0.05  # includes the unpriced ones; the rest use a free model

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
            users=len({row.user for row in rows} - {-1}),
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
    has_debug: bool


@lru_cache(maxsize=4)
def shared_traffic(seed: int, zone: ZoneInfo, today: date) -> "Traffic":
    """The traffic for these arguments, shared by all fakes: a test suite starts hundreds of equal ones."""
    return Traffic(seed, zone, today)


class Traffic:
    """All messages; days are calendar days in the requested time zone."""

    def __init__(self, seed: int, zone: ZoneInfo, today: date) -> None:
        self._seed, self._zone = seed, zone
        self._dates = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
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
        last = _midnight(self._dates[-1] + timedelta(days=1), self._zone)
        low = first if start is None else max(start, first)
        high = last if end is None else min(end, last)
        if low >= high:
            return
        local = datetime.fromtimestamp(low, zone).date()
        while (day := self._day(app, zone, local)).start < high:
            if low <= day.start and day.end <= high and (debug or not day.has_debug):
                yield local, day.totals
            else:
                rows = (row for row in day.messages if low <= row.at < high and (debug or not row.debug))
                yield local, Totals.from_messages(rows)
            local += timedelta(days=1)

    def _day(self, app: FakeApp, zone: ZoneInfo, local: date) -> _Day:
        key = (app.id, app.mode, app.messages_per_day, zone.key, local)
        day = self._days.get(key)
        if day is None:
            start, end = _midnight(local, zone), _midnight(local + timedelta(days=1), zone)
            made = datetime.fromtimestamp(start, self._zone).date()
            rows = [
                row
                for shift in range(3)
                for row in self._make(app, made + timedelta(days=shift))
                if start <= row.at < end
            ]
            has_debug = any(row.debug for row in rows)
            day = self._days[key] = _Day(start, end, rows, Totals.from_messages(rows), has_debug)
        return day

    def _make(self, app: FakeApp, day: date) -> list[Message]:
        if not self._dates[0] <= day <= self._dates[-1]:
            return []
        key = (app.id, app.mode, app.messages_per_day, day)
        rows = self._made.get(key)
        if rows is None:
            rows = self._made[key] = list(self._draw(app, day))
        return rows

    def _draw(self, app: FakeApp, day: date) -> Iterator[Message]:
        draw = Random(f"{self._seed}/{app.id}/{day}").random  # noqa: S311 - generated numbers
        if not app.messages_per_day or day.weekday() == _SUNDAY or draw() < _UNUSED_DAYS:
            return
        count = 1 + int(app.messages_per_day * (0.5 + draw()))
        start, end = _midnight(day, self._zone), _midnight(day + timedelta(days=1), self._zone)
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
                conversation=day.toordinal() * 10**6 + conversation,
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
            users.append(-1 if draw() < _FROM_CONSOLE else int(draw() * 2 * app.messages_per_day))
        else:
            conversation = int(draw() * len(users))
        yield conversation, users[conversation]


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
