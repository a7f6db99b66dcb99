"""Numbers that a test sets: statistics, messages and runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dify_async import AsyncDifyServer, Metric
from dify_async.statistics.metrics import applicable
from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.own_statistics import METRICS
from tests.support import MODES

TODAY = date(2026, 10, 31)
YESTERDAY = date(2026, 10, 30)


@pytest.fixture
def version() -> str:
    return "1.15.0"


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    """A fake with one app per mode and no traffic, except for one more app."""
    apps = [FakeApp(name=mode, mode=mode, messages_per_day=0) for mode in MODES]
    apps.append(FakeApp(name="busy", mode="chat", messages_per_day=20))
    async with FakeDifyServer(version, apps=apps, today=TODAY, timezone="Europe/Berlin") as fake:
        yield fake


@pytest.fixture
async def dify(fake: FakeDifyServer) -> AsyncIterator[AsyncDifyServer]:
    async with fake.client() as dify:
        yield dify


def app_of(fake: FakeDifyServer, mode: str) -> FakeApp:
    return next(app for app in fake.apps if app.name == mode)


@pytest.mark.parametrize("version", ["0.15.3", "1.10.1", "1.17.0"])
async def test_the_rows_of_a_statistic_that_was_set(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    busy = app_of(fake, "busy")
    assert len(await dify.daily_messages(busy.id)) > 2
    others = await dify.daily_conversations(busy.id)
    fake.set_statistics(busy, "daily_messages", {YESTERDAY: 120})
    fake.set_statistics(busy.id, Metric.DAILY_MESSAGES, {TODAY: 80, date(2020, 1, 1): 1})
    rows = await dify.daily_messages(busy.id)
    assert [(row.date, row.message_count) for row in rows] == [
        (date(2020, 1, 1), 1),
        (YESTERDAY, 120),
        (TODAY, 80),
    ]
    (row,) = await dify.daily_messages(busy.id, YESTERDAY, TODAY)
    assert row.message_count == 120
    (row,) = await dify.daily_messages(busy.id, f"{TODAY} 12:00")
    assert row.message_count == 80
    fake.set_statistics(busy, "daily_messages", {TODAY: None, YESTERDAY: 3})
    assert [row.message_count for row in await dify.daily_messages(busy.id)] == [1, 3]
    assert await dify.daily_conversations(busy.id) == others


@pytest.mark.parametrize("version", ["0.15.3", "1.15.0"])
@pytest.mark.parametrize("mode", MODES)
async def test_each_statistic_can_be_set(fake: FakeDifyServer, dify: AsyncDifyServer, mode: str) -> None:
    app = app_of(fake, mode)
    for metric in applicable(mode):
        fake.set_statistics(app, metric, {TODAY: 7})
        (row,) = await getattr(dify, metric)(app.id)
        day, number, *_ = (getattr(row, name) for name in row.__struct_fields__)
        assert (day, number) == (TODAY, 7), metric
    for metric in set(Metric) - set(applicable(mode)):
        with pytest.raises(ValueError, match=f"^{metric} does not apply to mode '{mode}', which has "):
            fake.set_statistics(app, metric, {TODAY: 7})


async def test_the_fields_of_a_row(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = app_of(fake, "chat")
    row = {"token_count": 1200, "total_price": Decimal("0.36"), "currency": "EUR"}
    fake.set_statistics(app, "token_costs", {TODAY: row, YESTERDAY: 5})
    rows = await dify.token_costs(app.id)
    assert [(row.token_count, row.total_price, row.currency) for row in rows] == [
        (5, None, "USD"),
        (1200, Decimal("0.36"), "EUR"),
    ]


def test_the_names_are_those_of_the_client() -> None:
    assert set(METRICS) == set(Metric)


async def test_a_dashboard_of_a_fake_at_another_date(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    days = [TODAY - timedelta(days=back) for back in (2, 1, 0)]
    fake.set_statistics(app_of(fake, "busy"), "daily_messages", dict(zip(days, (100, 0, 50), strict=True)))
    dashboard = await dify.dashboard(days=3, name="busy")
    assert dashboard.period.days == tuple(days)
    assert dashboard.totals["daily_messages"].values == (100, 0, 50)


@pytest.mark.parametrize("version", ["0.15.3", "1.10.1", "1.17.0"])
async def test_a_message_that_was_added(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = app_of(fake, "chat")
    first = datetime(2026, 10, 30, 9, 30)
    talk = fake.add_message(
        app,
        first,
        user="alice",
        question="Where is my parcel?",
        answer="On its way.",
        input_tokens=40,
        output_tokens=10,
        cost="0.0012",
        latency=2.0,
        liked=True,
    )
    fake.add_message(app, first + timedelta(minutes=1), conversation=talk, output_tokens=5)
    fake.add_message(app, datetime(2026, 10, 31, 8, tzinfo=UTC), user="bob")

    (older,) = await dify.daily_messages(app.id, YESTERDAY, TODAY)
    assert older.message_count == 2
    (users,) = await dify.daily_end_users(app.id, YESTERDAY, TODAY)
    assert users.terminal_count == 1
    (costs,) = await dify.token_costs(app.id, YESTERDAY, TODAY)
    assert (costs.token_count, costs.total_price) == (55, Decimal("0.0012"))
    (interactions,) = await dify.average_session_interactions(app.id, YESTERDAY, TODAY)
    assert interactions.interactions == 2
    (rate,) = await dify.user_satisfaction_rate(app.id, YESTERDAY, TODAY)
    assert rate.rate == 500
    (speed,) = await dify.tokens_per_second(app.id, YESTERDAY, TODAY)
    assert speed.tps == 5

    page = await dify.chat_conversations(app.id, sort_by="created_at")
    assert [row.from_end_user_session_id for row in page.data] == ["alice", "bob"]
    conversation = page.data[0]
    assert (conversation.id, conversation.name) == (talk, "Where is my parcel?")
    assert (conversation.message_count, conversation.annotated) == (2, False)
    assert conversation.created_at == int(first.replace(tzinfo=fake._state.zone).timestamp())
    for keyword, found in (("parcel", 1), ("bob", 1), ("invoice", 0)):
        assert (await dify.chat_conversations(app.id, keyword=keyword)).total == found
    messages = [row async for row in dify.chat_messages(app.id, talk)]
    assert {row.query for row in messages} >= {"Where is my parcel?"}
    assert {row.answer for row in messages} >= {"On its way."}
    assert sorted(row.answer_tokens or 0 for row in messages) == [5, 10]


async def test_a_message_before_the_others_of_its_conversation(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    app = app_of(fake, "chat")
    talk = fake.add_message(app, user="alice")
    fake.add_message(app, datetime(2026, 10, 30, 23), conversation=talk)
    rows = await dify.average_session_interactions(app.id)
    assert [(row.date, row.interactions) for row in rows] == [(YESTERDAY, 2)]


async def test_generated_messages_stay(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Other fakes with the same generated traffic do not see the message."""
    busy = app_of(fake, "busy")
    before = {row.date: row.message_count for row in await dify.daily_messages(busy.id)}
    fake.add_message(busy)
    after = {row.date: row.message_count for row in await dify.daily_messages(busy.id)}
    assert after == before | {TODAY: before.get(TODAY, 0) + 1}
    apps = [FakeApp(name="busy", mode="chat", id=busy.id, messages_per_day=20)]
    async with (
        FakeDifyServer(apps=apps, today=TODAY, timezone="Europe/Berlin") as other,
        other.client() as dify_of_other,
    ):
        assert {r.date: r.message_count for r in await dify_of_other.daily_messages(busy.id)} == before


async def test_a_message_of_a_generated_user_is_theirs(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = app_of(fake, "completion")
    fake.add_message(app, user="user-007", question="Hello?", cost=None)
    (row,) = (await dify.completion_conversations(app.id, keyword="hello")).data
    assert row.from_end_user_session_id == "user-007"
    assert app_of(fake, "completion").messages_per_day == 0
    (costs,) = await dify.token_costs(app.id)
    assert costs.total_price is None
    assert (await dify.completion_conversations(app.id, keyword="bye")).data == []


@pytest.mark.parametrize("version", ["0.15.3", "1.10.1", "1.17.0"])
async def test_a_run_that_was_added(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = app_of(fake, "workflow")
    run = fake.add_run(app, datetime(2026, 10, 30, 9), user="alice", status="failed", tokens=300, elapsed=4.5)
    fake.add_run(app, datetime(2026, 10, 30, 10), user="alice")
    fake.add_run(app)
    rows = await dify.workflow_daily_runs(app.id)
    assert [(row.date, row.runs) for row in rows] == [(YESTERDAY, 2), (TODAY, 1)]
    assert [row.terminal_count for row in await dify.workflow_daily_end_users(app.id)] == [1, 1]
    assert [row.token_count for row in await dify.workflow_token_costs(app.id)] == [300, 0]
    assert {row.interactions for row in await dify.workflow_average_interactions(app.id)} == {1.0, 2.0}
    (log,) = (await dify.workflow_app_logs(app.id, status="failed")).data
    assert log.workflow_run is not None
    assert (log.workflow_run.id, log.workflow_run.total_tokens) == (run, 300)
    assert log.workflow_run.elapsed_time == 4.5
    assert log.created_by_end_user is not None
    assert log.created_by_end_user.session_id == "alice"
    assert (await dify.workflow_run(app.id, run)).status == "failed"


async def test_a_message_of_an_advanced_chat_is_a_run(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = app_of(fake, "advanced-chat")
    fake.add_message(app, input_tokens=3)
    assert [row.runs for row in await dify.workflow_daily_runs(app.id)] == [1]
    assert [row.message_count for row in await dify.daily_messages(app.id)] == [1]


Call = Callable[[FakeDifyServer], object]
CHAT = "chat"
NONSENSE: dict[str, tuple[Call, str]] = {
    "metric": (
        lambda fake: fake.set_statistics(app_of(fake, CHAT), "token_cost", {TODAY: 1}),
        r"^'token_cost' is not a metric. Did you mean 'token_costs'\?$",
    ),
    "app": (lambda fake: fake.add_message("x"), "^This fake has no app 'x'; pass its id or one of"),
    "long": (lambda fake: fake.add_message("x" * 999), "^This fake has no app 'x{59}; pass its id or one of"),
    "rows": (lambda fake: stat(fake, [1]), "must be a mapping from dates to numbers"),
    "datetime": (lambda fake: stat(fake, {datetime(2026, 10, 1): 1}), "must be dates, got datetime"),
    "future": (lambda fake: stat(fake, {date(2026, 11, 1): 1}), "2026-11-01 is after 2026-10-31"),
    "negative": (lambda fake: stat(fake, {TODAY: -1}), "message_count must be an integer of at least 0"),
    "fraction": (lambda fake: stat(fake, {TODAY: 1.5}), "message_count must be an integer"),
    "bool": (lambda fake: stat(fake, {TODAY: True}), "message_count must be an integer"),
    "NaN": (lambda fake: stat(fake, {TODAY: float("nan")}, "tokens_per_second"), "tps must be a finite"),
    "text": (lambda fake: stat(fake, {TODAY: "1"}, "tokens_per_second"), "tps must be a finite number"),
    "field": (
        lambda fake: stat(fake, {TODAY: {"price": 1}}, "token_costs"),
        "'price' is not a field of token_costs. Did you mean 'total_price'",
    ),
    "price": (
        lambda fake: stat(fake, {TODAY: {"total_price": "1 USD"}}, "token_costs"),
        "total_price must be a finite number",
    ),
    "message of a workflow": (lambda fake: fake.add_message(app_of(fake, "workflow")), "use add_run"),
    "run of a chat": (lambda fake: fake.add_run(app_of(fake, CHAT)), "use add_message"),
    "run of an advanced chat": (lambda fake: fake.add_run(app_of(fake, "advanced-chat")), "belong to its"),
    "status": (
        lambda fake: fake.add_run(app_of(fake, "workflow"), status="fail"),
        "'fail' is not a status of a finished run. Did you mean 'failed'",
    ),
    "date": (lambda fake: message(fake, at=TODAY), "at must be a datetime"),
    "tomorrow": (
        lambda fake: message(fake, at=datetime(2026, 11, 1)),
        "at must be from 2025-09-27 to 2026-10-31, the days of this fake",
    ),
    "user": (lambda fake: message(fake, user=""), "user must be the session id"),
    "tokens": (lambda fake: message(fake, input_tokens=-1), "input_tokens must be an integer"),
    "cost": (lambda fake: message(fake, cost=float("inf")), "cost must be a finite number"),
    "small cost": (lambda fake: message(fake, cost="0.00000001"), "at most 7 decimal places"),
    "latency": (lambda fake: message(fake, latency=-1.0), "latency must be a finite number"),
    "conversation": (lambda fake: message(fake, conversation="x"), "'x' is not a conversation that"),
    "conversation of a completion": (
        lambda fake: fake.add_message(app_of(fake, "completion"), conversation="x"),
        "is a separate conversation",
    ),
    "user of a conversation": (
        lambda fake: message(fake, conversation=message(fake, user="alice"), user="bob"),
        "another user than 'bob'",
    ),
}


def stat(fake: FakeDifyServer, days: Any, metric: str = "daily_messages") -> None:
    fake.set_statistics(app_of(fake, CHAT), metric, days)


def message(fake: FakeDifyServer, **fields: Any) -> str:
    return fake.add_message(app_of(fake, CHAT), **fields)


async def test_nonsense_is_refused(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    for name, (call, text) in NONSENSE.items():
        with subtests.test(name), pytest.raises(ValueError, match=text):
            call(fake)
    rows = await dify.daily_messages(app_of(fake, CHAT).id)
    assert [row.message_count for row in rows] == [1]  # of the conversation with another user
