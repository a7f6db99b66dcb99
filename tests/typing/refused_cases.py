"""Mistakes that type checkers find: each line with a `type: ignore` is an error in a user's code.

Both mypy and pyright report an unused `type: ignore`.
"""

import dify_async
from dify_async import (
    App,
    AppStatistics,
    AsyncDifyServer,
    Dashboard,
    Event,
    Metric,
    Page,
    RequestAnswered,
    RetryPolicy,
    Tokens,
)
from dify_async.testing import FakeDifyServer


class HalfAStore:
    async def load(self, key: str) -> Tokens | None: ...


async def on_event(event: Event) -> None: ...


def made() -> None:
    _ = dify_async.NoSuchName  # type: ignore[attr-defined]
    AsyncDifyServer()  # type: ignore[call-arg]
    AsyncDifyServer("https://dify.example.com", "a", "b", None)  # type: ignore[call-arg]
    AsyncDifyServer("https://dify.example.com", timeout="30")  # type: ignore[arg-type]
    AsyncDifyServer("https://dify.example.com", retry=3)  # type: ignore[arg-type]
    AsyncDifyServer("https://dify.example.com", token_store=HalfAStore())  # type: ignore[arg-type]
    AsyncDifyServer("https://dify.example.com", on_event=on_event)  # type: ignore[arg-type]
    AsyncDifyServer.from_env(emial="a@example.com")  # type: ignore[call-arg]
    AsyncDifyServer.from_env(max_concurrency="8")  # type: ignore[arg-type]
    RetryPolicy(attempts="3")  # type: ignore[arg-type]


def headers_made() -> None:
    AsyncDifyServer("https://dify.example.com", headers=[("X-Team", "a")])  # type: ignore[arg-type]
    AsyncDifyServer("https://dify.example.com", headers={"X-Team": 1})  # type: ignore[dict-item]


async def misspelt(dify: AsyncDifyServer, app: App, text: str) -> None:
    await dify.apps(mode="chatbot")  # type: ignore[arg-type]
    await dify.apps(mode=text)  # type: ignore[arg-type]
    await dify.apps(sort_by="created")  # type: ignore[arg-type]
    await dify.dashboard(mode="chatbot")  # type: ignore[arg-type]
    await dify.dashboard(metrics=["token_cost"])  # type: ignore[list-item]
    await dify.statistics(app, metrics=["token_cost"])  # type: ignore[list-item]
    await dify.chat_conversations(app, sort_by="created")  # type: ignore[arg-type]
    await dify.chat_conversations(app, annotation_status="any")  # type: ignore[arg-type]
    await dify.workflow_runs(app, status="success")  # type: ignore[arg-type]
    await dify.create_app("a", "chatbot")  # type: ignore[arg-type]
    await dify.delete_app_api_key(app, app)  # type: ignore[arg-type]


async def asked(dify: AsyncDifyServer, app: App) -> None:
    await dify.apps("chat")  # type: ignore[call-arg]
    await dify.apps(tag_ids=1)  # type: ignore[arg-type]
    await dify.app(5)  # type: ignore[arg-type]
    await dify.update_app(app.id, name=None)  # type: ignore[arg-type]
    await dify.token_costs(app.id, 20261001)  # type: ignore[arg-type]
    for _ in dify.apps():  # type: ignore[attr-defined]
        pass
    len(dify.apps())  # type: ignore[arg-type]
    await dify.statistics(app, on_error="ignore")  # type: ignore[arg-type]
    await dify.statistics_many(app)  # type: ignore[arg-type]
    await dify.statistics_many([app], metrics=[1])  # type: ignore[list-item]
    await dify.dashboard(period="last_week")  # type: ignore[arg-type]
    await dify.export_feedbacks(app.id, format="xml")  # type: ignore[arg-type]
    await dify.request("GET", "/apps", type="App")  # type: ignore[call-overload]
    await dify.request("GET", "/apps", params={"page": 1.5})  # type: ignore[dict-item]
    found: list[App] = await dify.request("GET", "/apps", type=App)  # type: ignore[arg-type]
    async with dify.stream_statistics([app]) as arriving:
        for _ in arriving:  # type: ignore[attr-defined]
            found.clear()


def answered(dashboard: Dashboard, app: App, statistics: AppStatistics, event: RequestAnswered) -> None:
    app.name = "another"  # type: ignore[misc]
    event.status = 200  # type: ignore[misc]
    dashboard.apps.append(dashboard.apps[0])  # type: ignore[attr-defined]
    dashboard.to_native("numpy")  # type: ignore[arg-type]
    statistics.rows("token_costs")  # type: ignore[arg-type]
    statistics.filled(1, 2)  # type: ignore[arg-type]
    len(statistics.token_costs)  # type: ignore[arg-type]
    Page[App](data=[Metric.TOKEN_COSTS])  # type: ignore[list-item]


def faked(fake: FakeDifyServer) -> None:
    fake.add_app("a", "chat", descripton="")  # type: ignore[call-arg]
    fake.add_app("a", "chat", messages_per_day="3")  # type: ignore[arg-type]
    fake.inject("/apps", cut="middle")  # type: ignore[arg-type]
    fake.base_url = "http://127.0.0.1"  # type: ignore[misc]
