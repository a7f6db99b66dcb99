"""Errors of an app are collected; wrong arguments are raised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyConnectionError,
    DifyLoginError,
    DifyNotFoundError,
    DifyServerError,
    Metric,
)
from dify_async.statistics.metrics import applicable
from dify_async.testing import FakeDifyServer
from tests.support import JSON, UNKNOWN, VERSIONS, an_app, client

from .conftest import END, START
from .numbers import answer


async def test_an_app_that_fails_keeps_its_place(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    listed = [app.id for app in await dify.apps()]
    bad = an_app(fake)
    fake.inject(f"/apps/{bad}/statistics/token-costs", status=500)
    fake.inject(f"/apps/{bad}/statistics/daily-messages", cut="before")
    whole = await dify.dashboard(START, END, apps=[app_id for app_id in listed if app_id != bad])
    dashboard = await dify.dashboard(START, END)
    assert [app.app_id for app in dashboard.apps] == listed
    assert {(error.app_id, error.metric): type(error.error) for error in dashboard.errors} == {
        (bad, Metric.TOKEN_COSTS): DifyServerError,
        (bad, Metric.DAILY_MESSAGES): DifyConnectionError,
    }
    failed = next(app for app in dashboard.apps if app.app_id == bad)
    assert failed.errors.keys() == {Metric.TOKEN_COSTS, Metric.DAILY_MESSAGES}
    assert failed.app_name
    assert not failed.series.keys() & {"token_costs", "token_costs_USD", "tokens", "daily_messages"}
    assert "daily_conversations" in failed.series
    # The totals are those of the other apps.
    for name in ("token_costs", "token_costs_USD", "tokens", "daily_messages"):
        assert dashboard.totals[name] == whole.totals[name]
    assert whole.errors == []


async def test_on_error_raise(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject(f"/apps/{an_app(fake)}/statistics/token-costs", status=500)
    with pytest.raises(DifyServerError):
        await dify.dashboard(START, END, on_error="raise")
    with pytest.raises(DifyConfigError, match="on_error"):
        await dify.dashboard(START, END, on_error="ignore")  # type: ignore[arg-type]


async def test_unknown_and_deleted_apps(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps(mode="chat")
    fake.inject(f"/apps/{apps[0].id}/*", status=404)
    dashboard = await dify.dashboard(START, END, apps=[apps[1], UNKNOWN, apps[0]])
    well, unknown, deleted = dashboard.apps
    assert well.errors == {}
    assert (unknown.app_id, unknown.app_name, unknown.mode, unknown.series) == (UNKNOWN, "", "", {})
    assert (deleted.app_name, deleted.mode) == (apps[0].name, "chat")
    assert deleted.errors.keys() == set(applicable("chat"))
    for error in dashboard.errors:
        assert isinstance(error.error, DifyNotFoundError)
        assert error.app_id in {UNKNOWN, apps[0].id}
    assert dashboard.totals["daily_messages"].total == well.series["daily_messages"].total


@pytest.mark.parametrize("version", VERSIONS)
async def test_metrics_that_do_not_apply_are_not_errors(version: str) -> None:
    """For other modes, some routes answer the 404 of a deleted app."""
    async with FakeDifyServer(version, apps=5) as fake, client(fake) as dify:
        if version in {"1.15.0", "1.16.1", "1.17.0"}:
            fake.add_app("An agent", "agent")
        dashboard = await dify.dashboard()
        assert dashboard.errors == []
        assert {app.mode for app in dashboard.apps} == {app.mode for app in fake.apps}
        assert fake.count(None, "*") == sum(request.status == 200 for request in fake.requests)


async def test_agents_are_listed_separately() -> None:
    """1.15.0: mode=agent is missing in the default list and in "all"; older versions reject it."""
    async with FakeDifyServer("1.15.0", apps=2) as fake:
        agent = fake.add_app("An agent", "agent")
        async with client(fake) as dify:
            assert agent.id in {app.app_id for app in (await dify.dashboard()).apps}
            assert {app.mode for app in (await dify.dashboard(mode="chat")).apps} == {"chat"}
    async with FakeDifyServer("1.11.2", apps=2, hide_version=True) as fake, client(fake) as dify:
        assert len((await dify.dashboard(apps=None)).apps) == 2


async def test_choosing_apps(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    chats = await dify.apps(mode="chat")
    by_mode = await dify.dashboard(START, END, mode="chat")
    assert [app.app_id for app in by_mode.apps] == [app.id for app in chats]
    by_name = await dify.dashboard(START, END, name=fake.apps[0].name)
    assert fake.apps[0].id in {app.app_id for app in by_name.apps}
    # Each app once, given as an App, as an id, or as an id in upper case.
    one = chats[0]
    twice = await dify.dashboard(START, END, apps=[one, chats[1], one.id, one.id.upper(), one])
    assert [app.app_id for app in twice.apps] == [one.id, chats[1].id]
    assert twice.totals["daily_messages"].total == by_mode.totals["daily_messages"].total
    assert (await dify.dashboard(START, END, apps=[])).totals == {}
    wrong: list[Any] = [one, one.id]
    for apps in wrong:
        with pytest.raises(DifyConfigError, match="list"):
            await dify.dashboard(START, END, apps=apps)
    with pytest.raises(DifyConfigError, match="mode and name"):
        await dify.dashboard(START, END, apps=[one], mode="chat")
    with pytest.raises(DifyConfigError, match=r"metrics must be one of .*, got"):
        await dify.dashboard(START, END, metrics=["messages"])  # type: ignore[list-item]
    for app_id in ("", "..", "a/b"):
        with pytest.raises(DifyConfigError):
            await dify.dashboard(START, END, apps=[app_id])


async def test_250_apps_on_concurrent_pages() -> None:
    async with FakeDifyServer(apps=250) as fake, client(fake) as dify:
        dashboard = await dify.dashboard(metrics=[])
        assert [app.app_id for app in dashboard.apps] == [app.id for app in await dify.apps()]
        assert len(dashboard.apps) == 250


async def test_a_rejected_session_is_raised(fake: FakeDifyServer) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:
        with pytest.raises(DifyLoginError):
            await dify.dashboard()


NAMES = [
    "x" * 40 * 1024,
    "\x00\x07\x1b[31mred\x7f",
    "\u202egnp.exe\u202c \u2066abc\u2069",
    "<script>alert(1)</script>",
    '=HYPERLINK("http://evil.example","x")',
    'a,"b"\r\nc;d',
    "\U0001f469\u200d\U0001f4bb \u5ba2\u670d",
    "",
]


async def test_names_are_those_of_the_server(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    ids = [fake.add_app(name, "chat", messages_per_day=1).id for name in NAMES]
    dashboard = await dify.dashboard(START, END, metrics=["daily_messages"])
    named = {app.app_id: app.app_name for app in dashboard.apps}
    assert [named[app_id] for app_id in ids] == NAMES


async def test_odd_numbers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """1.11.2/07_wfstat_token_costs__huge_numbers_app, ..token_costs__odd_numbers_app."""
    app = an_app(fake)
    usd = {"currency": "USD"}
    costs = answer(
        {
            "date": "2026-10-01",
            "token_count": "16000000000000000000",
            "total_price": "0E-7",
            **usd,
        },
        {"date": "2026-10-02", "token_count": 12.0, "total_price": None, **usd},
        {
            "date": "2026-10-03",
            "token_count": "99999999999999999999",
            "total_price": "0.1",
            **usd,
        },
        {"date": "2026-10-04", "token_count": 1, "total_price": "0.0000002", **usd},
        {"date": "2026-11-04", "token_count": 1, "total_price": "1000", **usd},
    )
    fake.inject("*/token-costs", body=costs, headers=JSON)
    fake.inject("*/daily-messages", body=answer({"date": "2026-10-03", "message_count": "7"}), headers=JSON)
    dashboard = await dify.dashboard(START, END, apps=[app])
    tokens, money = (dashboard.totals[name] for name in ("token_costs", "token_costs_USD"))
    assert tokens.total == 16 * 10**18 + 12 + 99999999999999999999 + 1
    # A day without a known price did not cost 0; days outside of the range are excluded.
    assert money.values[:5] == (0, None, Decimal("0.1"), Decimal("0.0000002"), 0)
    assert money.total == Decimal("0.1000002")
    assert dashboard.totals["daily_messages"].total == 7
    assert dashboard.totals["rate_percent"].total is not None


async def test_two_currencies_are_never_added(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    one, other = (await dify.apps(mode="chat"))[:2]
    day = {"date": "2026-10-01", "token_count": 10}
    mixed = answer({**day, "total_price": "1.5", "currency": "USD"},
                   {**day, "total_price": "2.5", "currency": "EUR"},
                   {**day, "total_price": "9", "currency": None})  # fmt: skip
    euros = answer({**day, "total_price": "4", "currency": "EUR"})
    fake.inject(f"/apps/{one.id}/statistics/token-costs", body=mixed, headers=JSON)
    fake.inject(f"/apps/{other.id}/statistics/token-costs", body=euros, headers=JSON)
    dashboard = await dify.dashboard(START, END, apps=[one, other], metrics=["token_costs"])
    assert dashboard.totals["token_costs"].total == 40
    money = {name: series for name, series in dashboard.totals.items() if isinstance(series.total, Decimal)}
    assert {name: (series.total, series.unit) for name, series in money.items()} == {
        "token_costs_EUR": (Decimal("6.5"), "EUR"),
        "token_costs_USD": (Decimal("1.5"), "USD"),
        "token_costs_XXX": (Decimal(9), "XXX"),
    }
    # An app has only the currencies of its rows.
    assert "token_costs_USD" not in dashboard.apps[1].series
