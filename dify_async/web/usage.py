"""Who used what, by user or by model: read on demand, because it takes a request per conversation."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from msgspec import Struct, structs

from dify_async import _checks

from .numbers import NUMBERS
from .queries import parse_query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async.client import AsyncDifyServer
    from dify_async.usage import Usage, UsageDimension, UsageRow

    from .queries import PageQuery
    from .stream import Add

# Console users have no session id, but a name.
_DIMENSIONS: Final[Mapping[str, tuple[UsageDimension, ...]]] = {
    "user": ("user", "account"),
    "model": ("model", "provider"),
}
_MAX_ROWS: Final = 100
# Seconds between events about the progress.
_INTERVAL: Final = 0.2


class Consumer(Struct, frozen=True, kw_only=True):
    """The usage of a user or of a model.

    Attributes:
        name: The user or the model; None if it is not known.
        note: "console" for console users; the provider of a model.
    """

    name: str | None
    note: str | None
    messages: int
    runs: int
    tokens: int
    cost: Mapping[str, Decimal]


class Report(Struct, frozen=True, kw_only=True):
    """The usage of a period.

    Attributes:
        rows: The largest consumers first.
        hidden: The number of further consumers.
        others: Their sum; None if there are none.
        unreadable: What Dify's statistics count beyond the messages that can be read.
        uncounted: What can be read, but is not in Dify's statistics.
        failed: The number of apps that could not be read.
    """

    rows: Sequence[Consumer]
    hidden: int
    others: Consumer | None
    unreadable: Consumer
    uncounted: Consumer
    failed: int


async def _usage(request: web.Request) -> web.StreamResponse:
    """Server-sent events: "progress" with the conversations done and found so far, then a "report"."""
    by = _checks.one_of("by", request.query.get("by"), _DIMENSIONS)
    query, numbers = parse_query(request.query), request.app[NUMBERS]
    return await numbers.streams.follow(request, (query, by), partial(_fetch, numbers.dify, query, by))


async def _fetch(dify: AsyncDifyServer, query: PageQuery, by: str, add: Add) -> None:
    shown_at = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _INTERVAL:
            shown_at = time.monotonic()
            add("progress", msgspec.json.encode({"done": done, "total": total}))

    apps = await dify.apps(mode=query.mode) if query.mode else query.apps
    usage = await dify.usage(apps=apps, by=_DIMENSIONS[by], progress=progress, **query.range)
    add("report", msgspec.json.encode(report_of(usage)))


def report_of(usage: Usage) -> Report:
    """The largest consumers, and the sum of the others."""
    consumers = sorted(map(_consumer, usage.rows), key=_size, reverse=True)
    others = consumers[_MAX_ROWS:]
    return Report(
        rows=consumers[:_MAX_ROWS],
        hidden=len(others),
        others=_sum(others) if others else None,
        unreadable=_sum(_positive(_consumer(row), 1) for row in usage.unexplained),
        uncounted=_sum(_positive(_consumer(row), -1) for row in usage.unexplained),
        failed=len(usage.errors),
    )


def _consumer(row: UsageRow) -> Consumer:
    note = row.provider if row.account is None else "console"
    return Consumer(
        name=row.model or row.user or row.account,
        note=note,
        messages=row.messages,
        runs=row.runs,
        tokens=row.total_tokens,
        cost=row.cost,
    )


def _positive(consumer: Consumer, sign: int) -> Consumer:
    """The numbers with this sign, as positive numbers; the others are zero."""
    return structs.replace(
        consumer,
        messages=max(sign * consumer.messages, 0),
        runs=max(sign * consumer.runs, 0),
        tokens=max(sign * consumer.tokens, 0),
        cost={currency: max(sign * value, Decimal(0)) for currency, value in consumer.cost.items()},
    )


def _size(consumer: Consumer) -> tuple[Decimal, int]:
    # Currencies cannot be compared; most workspaces have one.
    return max(consumer.cost.values(), default=Decimal(0)), consumer.tokens


def _sum(consumers: Iterable[Consumer]) -> Consumer:
    found = list(consumers)
    currencies = sorted({currency for one in found for currency in one.cost})
    return Consumer(
        name=None,
        note=None,
        messages=sum(one.messages for one in found),
        runs=sum(one.runs for one in found),
        tokens=sum(one.tokens for one in found),
        cost={
            currency: sum((one.cost.get(currency, Decimal(0)) for one in found), Decimal(0))
            for currency in currencies
        },
    )


ROUTES: Final = (web.get("/api/usage", _usage),)
