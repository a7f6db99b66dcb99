"""The twelve statistics: one row per day, computed from the traffic."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from dify_async.testing._console.http import Call, Reply
from dify_async.testing._console.models import CHAT_MODES, FakeApp
from dify_async.testing._console.params import Params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State
from dify_async.testing._console.times import account_zone, time_range
from dify_async.testing._console.traffic import Totals

_MAX_CACHED: Final = 10_000


@dataclass(frozen=True)
class Statistic:
    """One statistic; days for which `has_row` is zero are omitted."""

    path: str
    values: Callable[[Totals], dict[str, Any]]
    modes: tuple[str, ...] = ()  # for others, a 404 app_not_found; empty for all
    has_row: Callable[[Totals], int] = lambda day: day.messages
    runs: bool = False  # counts workflow runs instead of messages
    counts_debug: Callable[[Rules], bool] = lambda rules: rules.counts_debug
    ordered: bool = True
    text_numbers: tuple[str, ...] = ()  # strings since 0.15


STATISTICS = [
    Statistic("/statistics/daily-messages", lambda day: {"message_count": day.messages}),
    Statistic(
        "/statistics/daily-conversations",
        lambda day: {"conversation_count": day.conversations},
        counts_debug=lambda rules: rules.counts_debug_conversations,
    ),
    Statistic("/statistics/daily-end-users", lambda day: {"terminal_count": day.users}),
    Statistic(
        "/statistics/token-costs",
        lambda day: {"token_count": day.tokens, "total_price": _price(day), "currency": "USD"},
    ),
    Statistic(
        # By the day on which a conversation began, with all its messages.
        "/statistics/average-session-interactions",
        lambda day: {"interactions": round(day.opened_messages / day.opened, 2)},
        modes=CHAT_MODES,
        has_row=lambda day: day.opened,
    ),
    Statistic(
        # Per mille.
        "/statistics/user-satisfaction-rate",
        lambda day: {"rate": round(day.likes * 1000 / day.messages, 2)},
    ),
    Statistic(
        "/statistics/average-response-time",
        lambda day: {"latency": round(day.latency / day.messages, 4)},
        modes=("completion",),
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
        text_numbers=("token_count",),
    ),
    Statistic(
        "/workflow/statistics/average-app-interactions",
        lambda day: {"interactions": round(day.messages / day.users, 2)},
        modes=("workflow",),
        has_row=lambda day: day.users,
        runs=True,
        ordered=False,
    ),
]


def _price(day: Totals) -> str | None:
    # The text of a Decimal with seven places, so that zero is "0E-7".
    return None if day.price is None else str(Decimal(day.price).scaleb(-7))


def find_app(statistic: Statistic, state: State, call: Call) -> FakeApp:
    """The app; a 404 if its mode does not have this statistic."""
    return state.find_app(call, statistic.modes)


def read(statistic: Statistic, state: State, call: Call) -> Reply:
    """GET a statistic."""
    app = find_app(statistic, state, call)
    params = Params(state.rules, "StatisticTimeRangeQuery", call.arguments())
    bounds = time_range(state.rules, call.caller, params)
    zone = account_zone(state.rules, call.caller)
    key = (statistic.path, app.id, app.mode, app.messages_per_day, zone.key, bounds)
    body = state.statistics.get(key)
    if body is None:
        # Cached, so that a benchmark measures the client.
        if len(state.statistics) >= _MAX_CACHED:
            state.statistics.clear()
        own = state.own_statistics.get((app.id, statistic.path))
        rows = _rows(statistic, state, app, zone, bounds) if own is None else _own_rows(own, zone, bounds)
        body = state.statistics[key] = msgspec.json.encode({"data": rows})
    return Reply(200, body, {"Content-Type": "application/json"})


def _rows(
    statistic: Statistic, state: State, app: FakeApp, zone: ZoneInfo, bounds: tuple[int | None, int | None]
) -> list[dict[str, Any]]:
    has_rows = app.has_workflow if statistic.runs else app.mode != "workflow"
    if not has_rows:
        return []
    debug = not statistic.runs and statistic.counts_debug(state.rules)
    days = state.traffic.days(app, zone, *bounds, debug=debug)
    rows = [
        {"date": str(day), **statistic.values(totals)} for day, totals in days if statistic.has_row(totals)
    ]
    for name in statistic.text_numbers if state.rules.decimal_text else ():
        for row in rows:
            row[name] = str(row[name])
    if not statistic.ordered:
        Random(f"{state.seed}/{app.id}").shuffle(rows)  # noqa: S311 - the server returns these rows unordered
    return rows


def _own_rows(
    own: dict[date, dict[str, Any]], zone: ZoneInfo, bounds: tuple[int | None, int | None]
) -> list[dict[str, Any]]:
    """The rows of the days that a test has set, including days that are only partly in the range."""
    start, end = (None if bound is None else datetime.fromtimestamp(bound, zone) for bound in bounds)
    return [
        {"date": str(day), **row}
        for day, row in sorted(own.items())
        if (start is None or start.date() <= day)
        and (end is None or datetime(day.year, day.month, day.day, tzinfo=zone) < end)
    ]


ROUTES: list[Route] = [
    Route(
        "GET",
        f"/apps/<uuid:app_id>{statistic.path}",
        partial(read, statistic),
        load_app=partial(find_app, statistic),
    )
    for statistic in STATISTICS
]
