"""Requests that are not sent, since an app without messages has no other numbers."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from benchmarks.bodies import END, START
from benchmarks.measure import Effort, Figures, Work, client, in_turns, repeated, server
from dify_async import AsyncDifyServer
from dify_async.statistics.metrics import Metric, applicable
from dify_async.testing import FakeApp, FakeDifyServer

_MODES = ("chat", "agent-chat", "completion", "advanced-chat", "workflow")
_PER_MODE = 12
_TODAY = date(2026, 10, 30)
_AT_ONCE = 6
_BUSY, _IDLE = 20, 40


async def idle_apps(_: Effort) -> Figures:
    """60 apps of all modes: a third, two thirds, or all of them without traffic."""
    figures: Figures = {}
    for name, idle in (("a third", 4), ("two thirds", 8), ("all", 12)):
        apps = [
            FakeApp(name=f"{mode} {number}", mode=mode, messages_per_day=0 if number < idle else 5)
            for mode in _MODES
            for number in range(_PER_MODE)
        ]
        async with (
            FakeDifyServer(apps=apps, today=_TODAY) as fake,
            client(fake.base_url, _AT_ONCE, email=fake.email, password=fake.password) as dify,
        ):
            await dify.statistics_many(await dify.apps(), _TODAY - timedelta(days=7), _TODAY)
            everything = sum(len(applicable(app.mode)) for app in apps)
            figures[f"requests for 60 apps, {name} idle / all metrics"] = (
                fake.count("GET", "*/statistics/*") / everything
            )
    return figures


async def server_model(effort: Effort) -> Figures:
    """Wall time with a server that takes 44 ms for a statistic of a busy app, and 10 ms for an idle one.

    It sends one response at a time, as Dify's worker does on one core.
    """
    busy, idle = effort.sized(_BUSY), effort.sized(_IDLE)
    metrics = list(applicable("chat"))
    with server("--gunicorn", "--apps", str(busy + idle), "--idle", str(idle)) as url:
        async with client(url, _AT_ONCE) as dify:
            apps = await dify.apps()
            works: dict[str, Work] = {
                "gated": partial(dify.statistics_many, apps, START, END),
                "all": partial(_ask_everything, dify, [app.id for app in apps], metrics, _AT_ONCE),
            }
            many = await in_turns(works, min(3, effort.rounds))
        async with client(url, len(metrics)) as dify:
            works = {
                "one call": partial(dify.statistics, apps[-1], START, END),
                "all": partial(_ask_everything, dify, [apps[-1].id], metrics, len(metrics)),
            }
            one = await in_turns(works, effort.rounds)
    return {
        "60 apps, two thirds idle, wall / all metrics": many.wall_ratio("gated", "all"),
        "one busy app, wall / all metrics at once": one.wall_ratio("one call", "all"),
    }


async def _ask_everything(
    dify: AsyncDifyServer, apps: list[str], metrics: list[Metric], at_once: int
) -> None:
    requests = [(app, metric) for metric in metrics for app in apps]

    async def ask(number: int) -> None:
        app, metric = requests[number]
        await getattr(dify, metric)(app, START, END)

    await repeated(ask, len(requests), at_once)
