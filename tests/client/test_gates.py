"""Metrics that must be empty, because another metric is, are not requested."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_async import AsyncDifyServer, DashboardFeed, DifyServerError, Metric, MetricName
from dify_async.statistics.metrics import applicable
from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.history import Message
from tests.support import MODES, ONCE, VERSIONS, client, put_messages, put_rows, until

FIRST = date(2026, 10, 1)
DAYS = 5
DAY = timedelta(days=1)
SELDOM = 3600.0
# Before 1.7, debugging counts in every metric of messages, and since 1.9 in none.
ALL_VERSIONS = ("1.7.1", "1.8.1", *VERSIONS)
QUICK = ("1.8.1", VERSIONS[-1])


class Sent(NamedTuple):
    """A message of the random traffic."""

    minute: int
    conversation: int
    user: int
    price: int | None
    liked: bool
    debug: bool


def sent(**fixed: Any) -> st.SearchStrategy[Sent]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "minute": st.integers(0, DAYS * 24 * 60 - 1),
        "conversation": st.integers(0, 3),
        "user": st.integers(-1, 2),
        "price": st.none() | st.integers(0, 5),
        "liked": st.booleans(),
        "debug": st.booleans(),
    }
    return st.builds(Sent, **(fields | fixed))


MESSAGES = st.lists(sent(), max_size=6) | st.lists(sent(debug=st.just(True)), max_size=6)
BOUND = st.integers(0, DAYS * 4).map(lambda quarter: datetime(2026, 10, 1) + timedelta(hours=6 * quarter))


def put_traffic(fake: FakeDifyServer, traffic: Mapping[str, list[Sent]]) -> None:
    midnight = datetime(2026, 10, 1, tzinfo=UTC)
    for app in fake.apps:
        messages = sorted(traffic[app.mode], key=lambda one: one.minute)
        sizes = Counter(one.conversation for one in messages)
        rows = [
            Message(
                at=int((midnight + timedelta(minutes=one.minute)).timestamp()),
                conversation=one.conversation,
                opens=sizes.pop(one.conversation, 0),
                user=one.user,
                tokens=10,
                answer_tokens=5,
                price=one.price,
                latency=one.minute % 2,
                liked=one.liked,
                debug=one.debug,
            )
            for one in messages
        ]
        put_rows(fake, app.id, rows)


def requested(fake: FakeDifyServer) -> Counter[str]:
    """The number of requests per metric."""
    paths = (request.path for request in fake.requests)
    return Counter(path.split("/", 3)[3] for path in paths if "statistics/" in path)


def routes(*metrics: str) -> set[str]:
    return {Metric(metric).route for metric in metrics}


@pytest.mark.parametrize(
    "version", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in ALL_VERSIONS]
)
def test_the_result_is_the_same_as_without_gates(version: str) -> None:
    """For any traffic, including apps that were only debugged."""
    modes = [*MODES, "agent"] if version in {"1.15.0", "1.16.1", "1.17.0"} else list(MODES)
    all_metrics = sum(len(applicable(mode)) for mode in modes)

    async def compare(start: datetime, end: datetime) -> None:
        apps = await whole.apps()
        assert len(apps) == len(modes)
        fake.reset_counters()
        expected = await whole.statistics_many(apps, start, end, on_error="raise")
        assert requested(fake).total() == all_metrics  # since all fit at once
        assert await gated.statistics_many(apps, start, end, on_error="raise") == expected

    async def open_all() -> tuple[FakeDifyServer, AsyncDifyServer, AsyncDifyServer]:
        apps = [FakeApp(name=mode, mode=mode) for mode in modes]
        today = FIRST + DAYS * DAY
        fake = await stack.enter_async_context(
            FakeDifyServer(version, apps=apps, timezone="UTC", today=today)
        )
        gated, whole = client(fake, max_concurrency=1), client(fake, max_concurrency=100)
        return fake, await stack.enter_async_context(gated), await stack.enter_async_context(whole)

    @settings(max_examples=10)
    @given(st.fixed_dictionaries(dict.fromkeys(modes, MESSAGES)), st.lists(BOUND, min_size=2, max_size=2))
    def check(traffic: dict[str, list[Sent]], bounds: list[datetime]) -> None:
        put_traffic(fake, traffic)
        runner.run(compare(min(bounds), max(bounds)))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            fake, gated, whole = runner.run(open_all())
            check()
        finally:
            runner.run(stack.aclose())


async def test_what_is_requested_of_idle_and_busy_apps() -> None:
    apps = [FakeApp(name=mode, mode=mode, messages_per_day=number) for mode in MODES for number in (0, 10)]
    async with FakeDifyServer(apps=apps, today=FIRST) as fake, client(fake) as dify:
        found = await dify.statistics_many(await dify.apps(), FIRST - 7 * DAY, FIRST)
        assert all(one.rows(metric) is not None for one in found for metric in applicable(one.mode))
        for app in fake.apps:
            paths = (request.path for request in fake.requests)
            asked = {path.split("/", 3)[3] for path in paths if path.startswith(f"/apps/{app.id}/")}
            expected = {metric.route for metric in applicable(app.mode)}
            if not app.messages_per_day:
                expected &= routes("daily_messages", "workflow_daily_runs", "average_session_interactions")
            assert asked == expected, app.mode


async def test_gates_that_were_not_requested() -> None:
    apps = [FakeApp(name=str(number), mode="chat", messages_per_day=0) for number in range(10)]
    async with FakeDifyServer(apps=apps, today=FIRST) as fake, client(fake) as dify:
        chosen: tuple[list[MetricName], ...] = (
            ["token_costs", "daily_conversations"],
            ["daily_end_users", "workflow_daily_runs"],
        )
        for metrics in chosen:
            fake.reset_counters()
            found = await dify.statistics_many(await dify.apps(), metrics=metrics)
            applied = [metric for metric in metrics if not metric.startswith("workflow")]
            assert requested(fake) == dict.fromkeys(routes(*applied), 10)
            assert all(one.rows(Metric(metric)) == [] for one in found for metric in applied)
            assert all(one.daily_messages is None for one in found)


async def test_the_families_of_an_app_have_their_own_gates() -> None:
    """Debugging counts as messages before 1.9, and never as runs."""
    apps = [FakeApp(name=str(number), mode="advanced-chat") for number in range(2)]
    async with FakeDifyServer("1.8.1", apps=apps, timezone="UTC", today=FIRST) as fake, client(fake) as dify:
        put_traffic(fake, {"advanced-chat": [Sent(600, 1, 1, 5, liked=True, debug=True)]})
        (one, _) = await dify.statistics_many(await dify.apps())
        assert one.daily_messages
        assert one.daily_conversations == []
        assert one.workflow_token_costs == []
        counts = requested(fake)
        assert counts[Metric.DAILY_CONVERSATIONS.route] == counts[Metric.WORKFLOW_DAILY_RUNS.route] == 2
        assert counts[Metric.WORKFLOW_TOKEN_COSTS.route] == 0


async def test_a_gate_that_fails_is_not_empty() -> None:
    apps = [FakeApp(name=str(number), mode="chat") for number in range(3)]
    async with FakeDifyServer(apps=apps, today=FIRST) as fake, client(fake, retry=ONCE) as dify:
        bad = fake.apps[1].id
        fake.inject(f"/apps/{bad}/statistics/daily-messages", status=500)
        found = {one.app_id: one for one in await dify.statistics_many(await dify.apps())}
        assert {metric: type(error) for metric, error in found[bad].errors.items()} == {
            Metric.DAILY_MESSAGES: DifyServerError
        }
        assert found[bad].token_costs
        assert all(one.errors == {} for one in found.values() if one.app_id != bad)


async def test_a_single_app_is_requested_at_once() -> None:
    """All of its requests fit at once, so they are under way together."""
    apps = [FakeApp(name="idle", mode="chat", messages_per_day=0)]
    async with FakeDifyServer(apps=apps, today=FIRST) as fake, client(fake) as dify:
        (app,) = await dify.apps()
        fake.inject("*/statistics/daily-messages", delay=30.0)
        reading = asyncio.create_task(dify.statistics(app))
        await until(lambda: requested(fake).total() == len(applicable("chat")))
        reading.cancel()
        await asyncio.wait([reading])


async def test_a_comparison_with_a_busy_previous_period() -> None:
    apps = [FakeApp(name=str(number), mode="chat") for number in range(2)]
    async with FakeDifyServer(apps=apps, timezone="UTC", today=FIRST) as fake, client(fake) as dify:
        for app in fake.apps:
            put_messages(fake, app.id, [datetime(2026, 9, 20, 12, tzinfo=UTC)])
        found = await dify.dashboard(date(2026, 9, 24), date(2026, 10, 1), compare=True)
        for one in found.apps:
            tokens = one.series["token_costs"]
            assert tokens.previous is not None
            assert (tokens.total, tokens.previous.total) == (0, 10)
        fake.reset_counters()
        found = await dify.dashboard(date(2026, 9, 24), date(2026, 10, 1))
        assert found.totals["token_costs"].total == 0
        assert requested(fake) == dict.fromkeys(routes("daily_messages", "average_session_interactions"), 2)


@pytest.mark.calendar
async def test_the_gates_of_a_feed_decide_about_the_days_that_it_requests() -> None:
    """The history has rows of an app that has been idle since; a metric that failed asks for more days."""
    today = datetime.now(UTC).date()
    noon = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    apps = [FakeApp(name=str(number), mode="chat") for number in range(2)]
    always = {"daily-messages", "average-session-interactions"}
    async with FakeDifyServer(apps=apps, timezone="UTC") as fake, client(fake, retry=ONCE) as dify:
        for app in fake.apps:
            put_messages(fake, app.id, [noon - 5 * DAY])
        failing = fake.inject("*/statistics/token-costs", status=500, times=2)
        async with DashboardFeed(dify, SELDOM, days=10) as feed:
            first = (await feed.get()).dashboard
            assert len(first.errors) == 2
            failing.remove()
            fake.reset_counters()
            second = (await feed.refresh()).dashboard
            # It is not known for the days before, and the gate's answer does not cover them.
            assert requested(fake).keys() == {f"statistics/{name}" for name in always | {"token-costs"}}
            assert second == await dify.dashboard(days=10)
            fake.reset_counters()
            third = (await feed.refresh()).dashboard
            assert requested(fake).keys() == {f"statistics/{name}" for name in always}
            assert third == second
            put_messages(fake, fake.apps[0].id, [noon - 5 * DAY, noon - DAY])
            fourth = (await feed.refresh()).dashboard
            assert fourth == await dify.dashboard(days=10)
            assert fourth != third


@pytest.mark.calendar
async def test_a_gate_of_a_feed_that_failed_before() -> None:
    """It is requested since the first day, and the other metrics since the day before yesterday."""
    today = datetime.now(UTC).date()
    noon = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    apps = [FakeApp(name=str(number), mode="chat") for number in range(2)]
    async with FakeDifyServer(apps=apps, timezone="UTC") as fake, client(fake, retry=ONCE) as dify:
        put_messages(fake, fake.apps[0].id, [noon - 2 * DAY])
        put_messages(fake, fake.apps[1].id, [noon - 3 * DAY])
        failing = fake.inject("*/statistics/daily-messages", status=500, times=2)
        async with DashboardFeed(dify, SELDOM, days=10) as feed:
            assert len((await feed.get()).dashboard.errors) == 2
            failing.remove()
            fake.reset_counters()
            second = (await feed.refresh()).dashboard
            assert requested(fake)[Metric.TOKEN_COSTS.route] == 1
            assert second == await dify.dashboard(days=10)
