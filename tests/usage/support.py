"""Messages that tests put into the fake console, and sums of usage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from dify_async import Usage, UsageRow
from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.history import Message
from tests.support import client

TODAY = date(2026, 11, 25)
ZONE = ZoneInfo("America/New_York")
START, END = "2026-11-16 00:00", "2026-11-18 00:00"
_seeds = count(1000)


def a_fake(version: str, *modes: str, **options: object) -> FakeDifyServer:
    """A fake with one app per mode, whose messages no other fake shares."""
    apps = [
        FakeApp(name=f"{number} {mode}", mode=mode, messages_per_day=0) for number, mode in enumerate(modes)
    ]
    return FakeDifyServer(version, apps=apps, today=TODAY, seed=next(_seeds), **options)  # type: ignore[arg-type]  # as they are


def at(text: str) -> int:
    """A time on the clock of New York."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def a_message(
    when: str,
    conversation: int = 0,
    *,
    user: int = 0,
    prompt: int = 100,
    answer: int = 20,
    price: int | None = 1000,
    debug: bool = False,
) -> Message:
    return Message(
        at=at(when),
        conversation=conversation,
        opens=0,
        user=user,
        tokens=prompt + answer,
        answer_tokens=answer,
        price=price,
        latency=1000,
        liked=False,
        debug=debug,
    )


def put(fake: FakeDifyServer, messages: Iterable[Message], *, app: int = 0) -> None:
    """Replace all messages of an app."""
    traffic, owner = fake._state.traffic, fake.apps[app]
    rows = sorted(messages, key=lambda row: row.at)
    sizes = Counter(row.conversation for row in rows)
    rows = [row._replace(opens=sizes.pop(row.conversation, 0)) for row in rows]
    for day in traffic._dates:
        traffic._made[owner.id, owner.mode, owner.messages_per_day, day] = []
    for row in rows:
        day = datetime.fromtimestamp(row.at, ZONE).date()
        traffic._made[owner.id, owner.mode, owner.messages_per_day, day].append(row)
    traffic._histories.clear()
    traffic._days.clear()
    fake._state.statistics.clear()


async def usage_of(fake: FakeDifyServer, *by: Any, **options: Any) -> Usage:
    async with client(fake) as dify:
        return await dify.usage(START, END, by=by, **options)


def money(rows: Iterable[UsageRow]) -> Decimal:
    return sum((row.cost.get("USD", Decimal(0)) for row in rows), Decimal(0))


def tokens(rows: Iterable[UsageRow]) -> int:
    return sum(row.total_tokens for row in rows)
