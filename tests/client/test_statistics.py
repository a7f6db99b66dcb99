"""All statistics of one app, and of many apps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dify_async import (
    AppStatistics,
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConfigError,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyLoginError,
    DifyNotFoundError,
    DifyServerError,
    Metric,
    TokenCosts,
)
from dify_async.statistics.metrics import applicable
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA, JSON, ONCE, UNKNOWN, an_app, client

START, END = date(2026, 10, 1), date(2026, 10, 31)
TODAY = date(2026, 10, 30)


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    """With few apps, since most tests request all of their metrics."""
    async with FakeDifyServer(version, apps=6, today=TODAY) as fake:
        yield fake


async def test_25_apps_concurrently(version: str) -> None:
    async with FakeDifyServer(version, apps=25, today=TODAY, latency=0.005) as fake, client(fake) as dify:
        apps = await dify.apps()
        many = await dify.statistics_many(apps, START, END)
        assert [one.app_id for one in many] == [app.id for app in apps]
        assert [(one.app_name, one.mode) for one in many] == [(app.name, app.mode) for app in apps]
        assert all(one.errors == {} for one in many)
        assert 6 <= fake.peak_requests <= 8
        asked = fake.count("GET", "*/statistics/*")
        busy = {app.id for app in fake.apps if app.messages_per_day}
        assert asked == sum(
            metric.gate is None or app.id in busy for app in apps for metric in applicable(app.mode)
        )
        for one in many:
            for metric in Metric:
                assert (one.rows(metric) is not None) == (metric in applicable(one.mode)), metric


async def test_the_metrics_of_each_mode() -> None:
    general = {
        Metric.DAILY_CONVERSATIONS,
        Metric.DAILY_END_USERS,
        Metric.TOKENS_PER_SECOND,
        Metric.USER_SATISFACTION_RATE,
        Metric.TOKEN_COSTS,
        Metric.DAILY_MESSAGES,
    }
    runs = {Metric.WORKFLOW_DAILY_RUNS, Metric.WORKFLOW_DAILY_END_USERS, Metric.WORKFLOW_TOKEN_COSTS}
    chat = general | {Metric.AVERAGE_SESSION_INTERACTIONS}
    assert set(applicable("chat")) == set(applicable("agent-chat")) == chat
    assert set(applicable("completion")) == general | {Metric.AVERAGE_RESPONSE_TIME}
    assert set(applicable("advanced-chat")) == chat | runs
    assert set(applicable("workflow")) == runs | {Metric.WORKFLOW_AVERAGE_INTERACTIONS}
    assert set(applicable("a future mode")) == general


@pytest.mark.parametrize("metric", Metric)
def test_rows_of_each_metric(metric: Metric) -> None:
    """The type in its row is that of its method and of its field in AppStatistics."""
    rows = f"list[{metric.row_type.__name__}]"
    assert getattr(AsyncDifyServer, metric).__annotations__["return"] == rows
    assert AppStatistics.__annotations__[metric] == f"{rows} | None"


async def test_the_zone_is_looked_up_once_for_many_apps(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """A lookup that finds no zone is not cached, so it must not run once per request."""
    fake.inject(path="/account/profile", body=b'{"id":"1","timezone":null}', headers=JSON)
    apps = await dify.apps()
    assert all(one.errors == {} for one in await dify.statistics_many(apps, START, END))
    assert fake.count("GET", "/account/profile") == 1


@pytest.mark.parametrize("metrics", [["daily_message"], "costs", [1]])
async def test_unknown_metrics(fake: FakeDifyServer, dify: AsyncDifyServer, metrics: Any) -> None:
    with pytest.raises(
        DifyConfigError, match=r"metrics must be one of daily_conversations, .*, got"
    ) as rejected:
        await dify.statistics_many([an_app(fake)], START, END, metrics=metrics)
    assert ("did you mean 'daily_messages'?" in str(rejected.value)) == (metrics == ["daily_message"])
    assert fake.requests == []


async def test_ids_and_apps_are_equivalent(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    by_app = await dify.statistics_many(apps, START, END)
    by_id = await dify.statistics_many([app.id for app in apps], START, END)
    assert by_id == by_app
    assert any(one.daily_messages for one in by_id)
    assert await dify.statistics(apps[0].id, START, END) == await dify.statistics(apps[0], START, END)
    assert fake.count("GET", "/apps/*") - fake.count("GET", "/apps/*/*") == len(apps) + 1


async def test_only_some_metrics(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    one = await dify.statistics(app, metrics=["daily_messages", Metric.WORKFLOW_DAILY_RUNS])
    assert one.daily_messages
    assert one.workflow_daily_runs is None  # does not apply to chat apps
    assert one.token_costs is None
    assert fake.count("GET", "*/statistics/*") == 1
    text: Any = "daily_messages"
    assert await dify.statistics(app, metrics=text) == await dify.statistics(
        app, metrics={Metric.DAILY_MESSAGES}
    )
    assert await dify.statistics_many([], START, END) == []
    (empty,) = await dify.statistics_many([app], metrics=[])
    assert empty.app_id == app


async def test_errors_of_one_app_do_not_affect_the_others(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify:
        apps = await dify.apps()
        bad = next(app for app in apps if app.mode == "chat")
        fake.inject(path=f"/apps/{bad.id}/statistics/token-costs", status=500)
        fake.inject(path=f"/apps/{bad.id}/statistics/daily-messages", cut="before")
        fake.inject(path=f"/apps/{bad.id}/statistics/daily-end-users", body=b"<html>")
        many = await dify.statistics_many([*apps, UNKNOWN], START, END)
        for one in many[:-1]:
            assert (one.errors == {}) == (one.app_id != bad.id)
        errors = next(one for one in many if one.app_id == bad.id).errors
        assert {metric: type(error) for metric, error in errors.items()} == {
            Metric.TOKEN_COSTS: DifyServerError,
            Metric.DAILY_MESSAGES: DifyConnectionError,
            Metric.DAILY_END_USERS: DifyDecodeError,
        }
        missing = many[-1]
        assert (missing.app_id, missing.app_name, missing.mode) == (UNKNOWN, "", "")
        assert all(isinstance(error, DifyNotFoundError) for error in missing.errors.values())
        assert missing.errors
        with pytest.raises(DifyServerError):
            await dify.statistics_many([bad], metrics=["token_costs"], on_error="raise")
        with pytest.raises(DifyError):
            await dify.statistics(bad, START, END)
        collected = await dify.statistics(bad, START, END, on_error="collect")
        assert collected.errors.keys() == errors.keys()


@EACH_ERA
async def test_a_rejected_session_is_raised(fake: FakeDifyServer) -> None:
    app = an_app(fake)
    async with client(fake, password="wrong-Pass-1") as dify:
        with pytest.raises(DifyLoginError):
            await dify.statistics_many([app])
    async with client(fake) as dify:
        fake.inject(path="/apps/*/statistics/*", status=401, body=UNAUTHORIZED, headers=JSON)
        found = await dify.app(app)
        with pytest.raises(DifyAuthenticationError):
            await dify.statistics_many([found])


UNAUTHORIZED = b'{"code":"unauthorized","message":"Account is banned.","status":401}'


async def test_streams_are_in_the_order_of_arrival(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    slow = apps[0]
    fake.inject(path=f"/apps/{slow.id}/*", delay=0.5, times=1)
    arrived: list[AppStatistics] = []
    async with dify.stream_statistics(apps, START, END) as stream:
        async for one in stream:
            arrived.append(one)  # noqa: PERF401 - like user code
    assert len(arrived) == len(apps)
    assert arrived[0].app_id != slow.id
    assert {one.app_id for one in arrived} == {app.id for app in apps}


@pytest.mark.parametrize("way", ["break", "raise", "cancel"])
async def test_leaving_a_stream_early_leaves_nothing_behind(
    fake: FakeDifyServer, dify: AsyncDifyServer, way: str
) -> None:
    apps = await dify.apps()
    fake.inject(path=f"/apps/{apps[-1].id}/*", delay=30.0)
    before = asyncio.all_tasks()
    task = asyncio.current_task()
    assert task is not None

    async def use() -> None:
        async with dify.stream_statistics(apps, START, END) as stream:
            async for _ in stream:
                if way == "break":
                    break
                if way == "raise":
                    raise KeyError(way)
                asyncio.get_running_loop().call_soon(using.cancel)

    using = asyncio.create_task(use())
    ends = {"break": None, "raise": KeyError, "cancel": asyncio.CancelledError}[way]
    with pytest.raises(ends) if ends else contextlib.nullcontext():
        await using
    assert not [task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)]
    assert dify._limiter.taken == 0
    await dify.profile()


async def test_a_stream_raises_errors_that_affect_all_apps(fake: FakeDifyServer) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:

        async def use() -> list[AppStatistics]:
            async with dify.stream_statistics([an_app(fake)]) as stream:
                return [one async for one in stream]

        with pytest.raises(DifyLoginError):
            await use()


async def test_aware_bounds_are_converted_to_the_accounts_zone(version: str) -> None:
    async with (
        FakeDifyServer(version, timezone="Asia/Kolkata", today=TODAY) as fake,
        client(fake) as dify,
    ):
        app = an_app(fake)
        start = datetime(2026, 9, 30, 18, 30, tzinfo=UTC)
        aware = await dify.daily_messages(app, start, start + timedelta(days=30))
        assert fake.requests[-1].query == "start=2026-10-01%2000%3A00&end=2026-10-31%2000%3A00"
        assert aware == await dify.daily_messages(app, START, END)
        await dify.chat_conversations(app, start=start)
        assert "start=2026-10-01%2000%3A00" in fake.requests[-1].query
        await dify.statistics_many([app], start, end=None)
        assert fake.count("GET", "/account/profile") == 1


async def test_an_account_without_a_zone(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    for zone in (b"null", b'"Nowhere/Land"', b'"../etc/passwd"'):
        body = b'{"id":"1","timezone":' + zone + b"}"
        fake.inject(path="/account/profile", body=body, headers=JSON, times=1)
        with pytest.raises(DifyConfigError, match="time zone"):
            await dify.daily_messages(an_app(fake), datetime(2026, 10, 1, tzinfo=UTC))


async def test_numbers_as_text_and_beyond_64_bits(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """1.11.2/07_wfstat_token_costs__huge_numbers_app, ..token_costs__odd_numbers_app."""
    app = an_app(fake)
    rows = (
        b'{"data":[{"date":"2026-10-01","token_count":"16000000000000000000","total_price":"0E-7"'
        b',"currency":"USD"},{"date":"2026-10-02","token_count":12.0,"total_price":null,"currency":null},'
        b'{"date":"2026-10-03","token_count":99999999999999999999,"total_price":0.5,"currency":"EUR"}]}'
    )
    fake.inject(path="*/token-costs", body=rows, headers=JSON)
    assert await dify.token_costs(app) == [
        TokenCosts(date(2026, 10, 1), 16 * 10**18, Decimal(0), "USD"),
        TokenCosts(date(2026, 10, 2), 12),
        TokenCosts(date(2026, 10, 3), 99999999999999999999, Decimal("0.5"), "EUR"),
    ]
