"""The expected numbers, computed from the messages of the fake console."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from dify_async import Period
from dify_async.testing import FakeDifyServer
from dify_async.testing._console.history import Message
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.traffic import shared_traffic


class Facts:
    """The messages of some apps within a period, or their workflow runs.

    From Dify 1.9, the statistics leave out messages from the console's editor; runs are never counted.
    """

    def __init__(
        self, fake: FakeDifyServer, apps: Iterable[FakeApp], period: Period, *, runs: bool = False
    ) -> None:
        with_debug = not runs and tuple(map(int, fake.version.split("."))) < (1, 9)
        zone = ZoneInfo(fake.timezone)
        first, last = period.start.timestamp(), period.end.timestamp()
        traffic = shared_traffic(0, zone, fake.today)
        self.by_day: dict[date, list[tuple[str, Message]]] = {day: [] for day in period.days}
        for app in apps:
            for message in traffic.history(app).messages:
                if first <= message.at < last and (with_debug or not message.debug):
                    day = datetime.fromtimestamp(message.at, zone).date()
                    self.by_day[day].append((app.id, message))
        self.messages = [message for day in self.by_day.values() for message in day]

    @property
    def a_day(self) -> list[int]:
        return [len(messages) for messages in self.by_day.values()]

    @property
    def tokens(self) -> int:
        return sum(message.tokens for _, message in self.messages)

    @property
    def price(self) -> Decimal:
        return Decimal(sum(message.price or 0 for _, message in self.messages)) / 10**7

    @property
    def conversations(self) -> int:
        """Conversations count on each of their days."""
        return sum(
            len({(app, message.conversation) for app, message in messages})
            for messages in self.by_day.values()
        )

    @property
    def likes_percent(self) -> float:
        return 100 * sum(message.liked for _, message in self.messages) / len(self.messages)

    @property
    def latency(self) -> float:
        return sum(message.latency for _, message in self.messages) / len(self.messages)

    @property
    def tokens_a_second(self) -> float:
        answers = sum(message.answer_tokens for _, message in self.messages)
        return 1000 * answers / sum(message.latency for _, message in self.messages)

    @property
    def runs_a_user(self) -> float:
        """The mean over users and days."""
        users: dict[tuple[str, date], set[int]] = defaultdict(set)
        for day, messages in self.by_day.items():
            for app, message in messages:
                users[app, day].add(message.user)
        return len(self.messages) / sum(sum(user >= 0 for user in those) for those in users.values())


def answer(*rows: Mapping[str, object]) -> bytes:
    """The body of a statistic."""
    return json.dumps({"data": rows}).encode()
