"""The twelve statistics: rows by day out of the traffic."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from dify_async.testing._console.http import Call, Reply, Route
from dify_async.testing._console.models import TALKING, FakeApp
from dify_async.testing._console.params import Params
from dify_async.testing._console.times import time_range
from dify_async.testing._console.traffic import Totals

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_KEPT: Final = 10_000


@dataclass(frozen=True)
class Statistic:
    """One statistic. `counts` says whether a day has a row; without rows a day is left out."""

    path: str
    values: Callable[[Totals], dict[str, Any]]
    only: tuple[str, ...] = ()  # modes; of others the server says app_not_found
    counts: Callable[[Totals], int] = lambda day: day.messages
    runs: bool = False  # of workflows, instead of messages
    ordered: bool = True
    decimals: tuple[str, ...] = ()  # numbers that are text since 0.15


STATISTICS = [
    Statistic("/statistics/daily-messages", lambda day: {"message_count": day.messages}),
    Statistic("/statistics/daily-conversations", lambda day: {"conversation_count": day.conversations}),
    Statistic("/statistics/daily-end-users", lambda day: {"terminal_count": day.users}),
    Statistic(
        "/statistics/token-costs",
        lambda day: {"token_count": day.tokens, "total_price": _price(day), "currency": "USD"},
    ),
    Statistic(
        # By the day on which a conversation began, with all that followed.
        "/statistics/average-session-interactions",
        lambda day: {"interactions": round(day.opened_messages / day.opened, 2)},
        only=TALKING,
        counts=lambda day: day.opened,
    ),
    Statistic(
        # Per mille.
        "/statistics/user-satisfaction-rate",
        lambda day: {"rate": round(day.likes * 1000 / day.messages, 2)},
    ),
    Statistic(
        "/statistics/average-response-time",
        lambda day: {"latency": round(day.latency / day.messages, 4)},
        only=("completion",),
    ),
    Statistic(
        "/statistics/tokens-per-second",
        lambda day: {"tps": round(day.answer_tokens * 1000 / day.latency, 4) if day.latency else 0.0},
    ),
    Statistic("/workflow/statistics/daily-conversations", lambda day: {"runs": day.messages}, runs=True),
    Statistic("/workflow/statistics/daily-terminals", lambda day: {"terminal_count": day.users}, runs=True),
    Statistic(
        "/workflow/statistics/token-costs",
        lambda day: {"token_count": day.tokens},
        runs=True,
        decimals=("token_count",),
    ),
    Statistic(
        "/workflow/statistics/average-app-interactions",
        lambda day: {"interactions": round(day.messages / day.users, 2)},
        only=("workflow",),
        counts=lambda day: day.users,
        runs=True,
        ordered=False,
    ),
]


def _price(day: Totals) -> str | None:
    # The text of a Decimal with seven places: "0E-7" is none at all.
    return None if day.price is None else str(Decimal(day.price).scaleb(-7))


def find_app(statistic: Statistic, console: "Console", call: Call) -> FakeApp:
    """The app, if this statistic is there for its mode."""
    return console.find_app(call, statistic.only)


def read(statistic: Statistic, console: "Console", call: Call) -> Reply:
    """GET a statistic."""
    app = find_app(statistic, console, call)
    span = time_range(console, call, Params(console.rules, "StatisticTimeRangeQuery", call.arguments()))
    zone = console.zone(call.owner)
    key = (statistic.path, app.id, app.mode, app.messages_per_day, zone.key, span)
    body = console.statistics.get(key)
    if body is None:
        # A benchmark should measure the client, not this.
        if len(console.statistics) >= _KEPT:
            console.statistics.clear()
        rows = _rows(statistic, console, app, zone, span)
        body = console.statistics[key] = msgspec.json.encode({"data": rows})
    return Reply(200, body, {"Content-Type": "application/json"})


def _rows(
    statistic: Statistic,
    console: "Console",
    app: FakeApp,
    zone: ZoneInfo,
    span: tuple[int | None, int | None],
) -> list[dict[str, Any]]:
    has_rows = app.has_workflow if statistic.runs else app.mode != "workflow"
    if not has_rows:
        return []
    days = console.traffic.days(app, zone, *span)
    rows = [
        {"date": str(day), **statistic.values(totals)} for day, totals in days if statistic.counts(totals)
    ]
    for name in statistic.decimals if console.rules.decimal_text else ():
        for row in rows:
            row[name] = str(row[name])
    if not statistic.ordered:
        Random(f"{console.seed}/{app.id}").shuffle(rows)  # noqa: S311 - as out of a hash table
    return rows


ROUTES: list[Route] = [
    Route(
        "GET",
        f"/apps/<uuid:app_id>{statistic.path}",
        partial(read, statistic),
        finds_app=partial(find_app, statistic),
    )
    for statistic in STATISTICS
]
