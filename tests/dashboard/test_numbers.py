"""Every day and total matches an independent computation."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from dify_async import AsyncDifyServer, Metric
from dify_async.testing import FakeDifyServer
from tests.support import JSON, VERSIONS, client

from .conftest import END, START, TODAY
from .numbers import Facts, answer

OTHERS = ("chat", "agent-chat", "completion", "advanced-chat")


@pytest.mark.parametrize("version", VERSIONS)
async def test_totals_match_the_messages(version: str) -> None:
    async with FakeDifyServer(version, apps=5, today=TODAY) as fake, client(fake) as dify:
        dashboard = await dify.dashboard(START, END)
        totals = dashboard.totals
        facts = Facts(fake, [app for app in fake.apps if app.mode != "workflow"], dashboard.period)
        assert totals["daily_messages"].values == tuple(facts.a_day)
        assert totals["daily_messages"].total == len(facts.messages)
        assert totals["daily_conversations"].total == facts.conversations
        assert totals["token_costs"].total == facts.tokens
        assert totals["token_costs_USD"].total == facts.price
        # The server rounds each day's rate to two decimals.
        assert totals["rate_percent"].total == pytest.approx(facts.likes_percent, abs=0.001)
        assert totals["user_satisfaction_rate"].total == pytest.approx(facts.likes_percent * 10, abs=0.01)
        completion = Facts(fake, [app for app in fake.apps if app.mode == "completion"], dashboard.period)
        assert totals["average_response_time"].total == pytest.approx(completion.latency, rel=1e-6)
        runs = Facts(fake, [app for app in fake.apps if app.has_workflow], dashboard.period, runs=True)
        assert totals["workflow_daily_runs"].values == tuple(runs.a_day)
        assert totals["workflow_token_costs"].total == runs.tokens
        # The tokens of an advanced-chat app are those of its messages; its runs are not added.
        assert totals["tokens"].total == Facts(fake, fake.apps, dashboard.period).tokens


async def test_the_numbers_of_each_app(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    dashboard = await dify.dashboard(START, END)
    assert {app.app_id for app in dashboard.apps} == {app.id for app in fake.apps}
    by_id = {app.id: app for app in fake.apps}
    for app in dashboard.apps:
        facts = Facts(fake, [by_id[app.app_id]], dashboard.period)
        assert app.series["tokens"].total == facts.tokens
        if app.mode == "workflow":
            assert app.series["workflow_daily_runs"].values == tuple(facts.a_day)
            mean = app.series["workflow_average_interactions"].total
            if facts.messages:
                assert mean == pytest.approx(facts.runs_a_user, abs=0.005)
            assert "daily_messages" not in app.series
            continue
        assert app.series["daily_messages"].values == tuple(facts.a_day)
        assert app.series["daily_conversations"].total == facts.conversations
        if facts.messages:
            assert app.series["rate_percent"].total == pytest.approx(facts.likes_percent, abs=0.001)
        if app.mode == "completion":
            assert app.series["average_response_time"].total == pytest.approx(facts.latency, rel=1e-6)
            speed = app.series["tokens_per_second"].total
            assert speed == pytest.approx(facts.tokens_a_second, rel=1e-4)


async def test_every_series_has_every_day(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """On Sundays the fake has no traffic: counts and money are zero, averages None."""
    fake.add_app("Unused", "chat", messages_per_day=0)
    dashboard = await dify.dashboard(START, END)
    days = dashboard.period.days
    assert days == tuple(START + timedelta(days=number) for number in range(30))
    sunday = days.index(date(2026, 10, 4))
    for app in dashboard.apps:
        for name, series in app.series.items():
            assert len(series.values) == len(days)
            averaged = name == "rate_percent" or name in {
                Metric.AVERAGE_SESSION_INTERACTIONS,
                Metric.TOKENS_PER_SECOND,
                Metric.USER_SATISFACTION_RATE,
                Metric.AVERAGE_RESPONSE_TIME,
                Metric.WORKFLOW_AVERAGE_INTERACTIONS,
            }
            assert series.values[sunday] == (None if averaged else 0), name
    unused = next(app for app in dashboard.apps if app.app_name == "Unused")
    assert unused.series["token_costs_USD"].values == (Decimal(0),) * 30
    assert unused.series["token_costs_USD"].total == 0
    assert unused.series["rate_percent"].total is None


async def test_days_are_sorted(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """…/workflow/statistics/average-app-interactions is not sorted, from 1.9.1 to 1.15.0."""
    rows = [{"date": f"2026-10-0{day}", "message_count": day} for day in (3, 1, 2)]
    fake.inject("*/daily-messages", body=answer(*rows), headers=JSON)
    dashboard = await dify.dashboard(START, date(2026, 10, 4), mode="chat", metrics=["daily_messages"])
    assert dashboard.apps[0].series["daily_messages"].values == (1, 2, 3)
    assert all(one < other for one, other in pairwise(dashboard.period.days))


async def test_users_and_unweighted_averages_have_no_total(dify: AsyncDifyServer) -> None:
    dashboard = await dify.dashboard(START, END)
    for name in ("daily_end_users", "workflow_daily_end_users", "average_session_interactions"):
        assert any(any(app.series[name].values) for app in dashboard.apps if name in app.series), name
        assert dashboard.totals[name].total is None, name
    # Dify does not report the model's time for chats, so there is no average.
    assert dashboard.totals["tokens_per_second"].total is None
    chat = next(app for app in dashboard.apps if app.mode == "chat")
    assert chat.series["tokens_per_second"].total is None
    # The total of one day is its value.
    one_day = await dify.dashboard(date(2026, 10, 5), date(2026, 10, 6), apps=[chat.app_id])
    for name in ("daily_end_users", "average_session_interactions", "tokens_per_second"):
        series = one_day.totals[name]
        assert series.total == series.values[0], name
        assert series.total, name


async def test_a_rate_without_its_weight_has_no_total(dify: AsyncDifyServer) -> None:
    (app, *_) = await dify.apps(mode="chat")
    dashboard = await dify.dashboard(START, END, apps=[app], metrics=["user_satisfaction_rate"])
    assert set(dashboard.totals) == {"user_satisfaction_rate", "rate_percent"}
    assert any(dashboard.totals["rate_percent"].values)
    assert dashboard.totals["rate_percent"].total is None


async def test_averages_over_apps_are_weighted(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """An app with one liked message weighs less than an app with 999 messages."""
    one, other = [app.id for app in fake.apps if app.mode in OTHERS][:2]
    for app_id, messages, rate in ((one, 1, 1000), (other, 999, 0)):
        for route, field, value in (("daily-messages", "message_count", messages),
                                    ("user-satisfaction-rate", "rate", rate)):  # fmt: skip
            body = answer({"date": "2026-10-01", field: value})
            fake.inject(f"/apps/{app_id}/statistics/{route}", body=body, headers=JSON)
    dashboard = await dify.dashboard(START, END, apps=[one, other])
    shares = dashboard.totals["user_satisfaction_rate"]
    assert shares.total == shares.values[0] == pytest.approx(1.0)
    assert dashboard.totals["rate_percent"].total == pytest.approx(0.1)


async def test_the_previous_period_needs_no_more_requests(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    plain = await dify.dashboard(START, END)
    asked = fake.count("GET", "*/statistics/*")
    before = await dify.dashboard(START - timedelta(days=30), START)
    fake.reset_counters()
    both = await dify.dashboard(START, END, compare=True)
    assert fake.count("GET", "*/statistics/*") == asked
    assert both.previous_period == before.period
    for name, series in both.totals.items():
        assert series.values == plain.totals[name].values
        assert series.previous == before.totals[name]
        assert series.change is not None
    messages = both.totals["daily_messages"]
    assert isinstance(messages.total, int)
    assert messages.previous is not None
    assert isinstance(messages.previous.total, int)
    assert messages.change is not None
    difference = messages.total - messages.previous.total
    assert messages.change.absolute == difference
    assert messages.change.relative == pytest.approx(difference / messages.previous.total)
    assert plain.totals["daily_messages"].change is None


async def test_a_change_of_money_is_relative_to_the_previous_total(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    rows = [
        {"date": day, "token_count": tokens, "total_price": price, "currency": "USD"}
        for day, tokens, price in (("2026-09-30", 100, "0.8"), ("2026-10-01", 150, "1.0"))
    ]
    fake.inject("*/token-costs", body=answer(*rows), headers=JSON)
    dashboard = await dify.dashboard(START, END, mode="chat", metrics=["token_costs"], compare=True)
    for name, absolute, relative in (("token_costs", 50, 0.5), ("token_costs_USD", Decimal("0.2"), 0.25)):
        change = dashboard.apps[0].series[name].change
        assert change is not None
        assert change.absolute == absolute
        assert change.relative == pytest.approx(relative)


async def test_a_change_from_zero_has_no_relative_value(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    body = answer({"date": "2026-10-01", "token_count": 5, "total_price": "0.5", "currency": "USD"})
    fake.inject("*/token-costs", body=body, headers=JSON)
    dashboard = await dify.dashboard(START, END, mode="chat", metrics=["token_costs"], compare=True)
    for name, absolute in (("token_costs", 5), ("token_costs_USD", Decimal("0.5"))):
        change = dashboard.apps[0].series[name].change
        assert change is not None
        assert (change.absolute, change.relative) == (absolute, None)
    unknown = await dify.dashboard(START, END, mode="chat", metrics=["daily_end_users"], compare=True)
    change = unknown.totals["daily_end_users"].change
    assert change is not None
    assert (change.absolute, change.relative) == (None, None)
