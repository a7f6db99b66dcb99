"""The numbers that the page asks its service for."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import anyio
import pytest

from dify_async.testing import FakeDifyServer
from dify_async.web import stream
from tests.support import an_app, client, until
from tests.web.support import events_of, page_of, streams


@pytest.mark.calendar
async def test_the_stream_matches_the_dashboard(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page, page.get("/api/numbers?days=7") as answer:
        events = await events_of(answer)
    async with client(fake) as dify:
        dashboard = json.loads((await dify.dashboard(days=7, compare=True)).to_json())
    *parts, (last, _) = events
    assert last == "done"
    assert {name for name, _ in parts} == {"part"}
    assert [part["done"] for _, part in parts if part["dashboard"]["apps"]] == list(
        range(1, len(fake.apps) + 1)
    )
    assert parts[0][1]["dashboard"]["period"]["zone"] == fake.timezone
    apps = [app for _, part in parts for app in part["dashboard"]["apps"]]
    assert sorted(apps, key=lambda app: str(app["app_id"])) == sorted(
        dashboard["apps"], key=lambda app: str(app["app_id"])
    )
    assert parts[-1][1]["dashboard"]["totals"] == dashboard["totals"]
    assert parts[0][1]["dashboard"]["period"]["today"] == dashboard["days"][-1]


async def test_totals_arrive_while_an_app_is_slow(fake: FakeDifyServer) -> None:
    fake.inject(f"/apps/{fake.apps[0].id}/*", delay=3600)
    async with page_of(fake) as page, page.get("/api/numbers") as answer:
        done = 0
        totals: dict[str, Any] = {}
        while done < len(fake.apps) - 1 or not totals:
            event = await answer.content.readuntil(b"\n\n")
            part = json.loads(event.partition(b"data: ")[2])
            done, totals = part["done"], part["dashboard"]["totals"]
    assert totals["tokens"]["total"] > 0


@pytest.mark.calendar
async def test_both_days_of_a_range_are_included(fake: FakeDifyServer) -> None:
    query = "start=2026-03-01&last=2026-03-03&mode=chat"
    async with page_of(fake) as page, page.get(f"/api/numbers?{query}") as answer:
        events = await events_of(answer)
    assert events[0][1]["dashboard"]["days"] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert {app["mode"] for _, part in events[1:-1] for app in part["dashboard"]["apps"]} == {"chat"}


async def test_one_app_costs_only_its_own_requests(fake: FakeDifyServer) -> None:
    app = an_app(fake)
    async with page_of(fake) as page, page.get(f"/api/numbers?app={app}&mode=workflow") as answer:
        events = await events_of(answer)
    assert [one["app_id"] for _, part in events[:-1] for one in part["dashboard"]["apps"]] == [app]
    assert fake.count("GET", "/apps") == 0
    assert fake.count("GET", "/apps/*/statistics/*") == fake.count("GET", f"/apps/{app}/statistics/*")


async def test_invalid_ranges(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        for query in (
            *("days=0", "days=367", "days=ten", "start=2026-03-01", "last=2026-03-01"),
            *("start=2026-03-02&last=2026-03-01", "start=03/01/2026&last=2026-03-01"),
            *("start=2024-01-01&last=2026-03-01", "start=9999-12-31&last=9999-12-31"),
        ):
            async with page.get(f"/api/numbers?{query}") as answer:
                assert answer.status == 400, query
                problem = await answer.json()
                assert "range" in problem["detail"], query
                assert not problem["can_retry"]
        async with page.get("/api/numbers?mode=chats") as answer:
            assert "did you mean 'chat'?" in (await answer.json())["detail"]
        for query in ("days=7", "days=7&max_age=soon", "start=2026-03-01&last=2026-03-02&max_age=60"):
            async with page.get(f"/api/snapshot?{query}") as answer:
                assert answer.status == 400, query
    assert fake.count() == 0


async def test_errors_of_the_server_are_events(fake: FakeDifyServer) -> None:
    fake.inject("/apps", status=403, body=b'{"code":"forbidden","message":"No apps for you."}')
    async with page_of(fake) as page, page.get("/api/numbers") as answer:
        ((name, problem),) = await events_of(answer)
    assert name == "failed"
    assert "not allowed" in problem["what"]
    assert "editor" in problem["advice"]
    assert "No apps for you." in problem["detail"]
    assert not problem["can_retry"]


async def test_errors_of_an_app_come_with_its_numbers(fake: FakeDifyServer) -> None:
    app = an_app(fake)
    fake.inject(f"/apps/{app}/statistics/daily-messages", status=403)
    async with page_of(fake) as page, page.get(f"/api/numbers?app={app}") as answer:
        problems = [part["problems"] for name, part in await events_of(answer) if name == "part"]
    assert [list(one) for one in problems if one] == [[app]]
    (found,) = next(one[app] for one in problems if one)
    assert "daily-messages" in found["detail"]


async def test_idle_streams_are_kept_open(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies close idle streams after a minute."""
    monkeypatch.setattr(stream, "KEEPALIVE", 0.02)
    fake.inject("/apps", delay=30)
    async with page_of(fake) as page, page.get("/api/numbers") as answer:
        for _ in range(2):
            assert await answer.content.readuntil(b"\n\n") == b": keepalive\n\n"


async def test_leaving_cancels_the_requests(fake: FakeDifyServer) -> None:
    fake.inject("/apps/*/statistics/*", delay=0.1)
    async with page_of(fake) as page:
        async with page.get("/api/numbers") as answer:
            await answer.content.readuntil(b"\n\n")
            await until(lambda: fake.count("GET", "/apps/*/statistics/*") > 0)
            answer.close()
        await until(lambda: not streams())
        asked = fake.count("GET", "/apps/*/statistics/*")
        assert asked <= 16  # of about 60
        # The next reader is served.
        async with page.get("/api/numbers?mode=workflow") as answer:
            assert (await events_of(answer))[-1][0] == "done"


async def test_readers_of_one_range_share_its_requests(fake: FakeDifyServer) -> None:
    """A reader that stalls does not block the others."""
    async with page_of(fake) as page, AsyncExitStack() as stack:
        await events_of(await page.get("/api/numbers"))
        alone = fake.count("GET", "/apps/*/statistics/*")
        fake.reset_counters()
        fake.inject("/apps", delay=1.0, times=1)  # so that all arrive while it is running
        url = page._base_url
        assert url is not None
        for _ in range(60):
            _, writer = await asyncio.open_connection(url.host, url.port)
            stack.callback(writer.close)
            writer.write(b"GET /api/numbers HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with anyio.fail_after(60):
            events = await events_of(await page.get("/api/numbers"))
    assert events[-1][0] == "done"
    assert fake.count("GET", "/apps") == 1
    assert fake.count("GET", "/apps/*/statistics/*") == alone


@pytest.mark.calendar
async def test_pages_share_one_refresh(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:

        async def snapshot(max_age: int) -> dict[str, Any]:
            async with page.get(f"/api/snapshot?days=7&max_age={max_age}") as answer:
                assert answer.status == 200
                body: dict[str, Any] = await answer.json()
                return body

        first, *others = await asyncio.gather(*(snapshot(30) for _ in range(5)))
        assert fake.count("GET", "/apps") == 1
        assert {one["part"]["done"] for one in (first, *others)} == {len(fake.apps)}
        async with client(fake) as dify:
            dashboard = json.loads((await dify.dashboard(days=7, compare=True)).to_json())
        assert first["part"]["dashboard"] == dashboard
        fake.reset_counters()
        await snapshot(30)
        assert fake.count() == 0
        # Old numbers stay if the refresh fails.
        fake.inject("/apps", status=403)
        failed = await snapshot(0)
        assert failed["part"]["dashboard"] == dashboard
        assert "not allowed" in failed["problem"]["what"]
        assert failed["age"] > 0


async def test_unused_feeds_are_closed(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        for days in range(1, 8):
            (await page.get(f"/api/snapshot?days={days}&max_age=60")).raise_for_status()
        feeds = [task for task in asyncio.all_tasks() if task.get_name() == "dify_async dashboard feed"]
        assert len(feeds) == 4
    await until(lambda: all(task.done() for task in feeds))


@pytest.mark.calendar
async def test_the_csv_has_the_numbers_of_the_page(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        await events_of(await page.get("/api/numbers?days=7&mode=chat"))
        fake.reset_counters()
        async with page.get("/api/numbers.csv?days=7&mode=chat") as answer:
            assert answer.content_type == "text/csv"
            assert answer.headers["Content-Disposition"].startswith('attachment; filename="dify_20')
            rows = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
        assert fake.count() == 0  # nothing is requested again
        async with page.get("/api/numbers.csv?days=3&mode=chat") as answer:
            assert answer.status == 200  # unless the page was not read before
    async with client(fake) as dify:
        dashboard = await dify.dashboard(days=7, mode="chat")
    assert len(rows) == len(dashboard.to_rows())
    assert {row["app_id"] for row in rows} == {app.app_id for app in dashboard.apps}


@pytest.mark.calendar
async def test_the_costs_of_the_month(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        async with page.get("/api/month") as answer:
            body = await answer.json()
        async with client(fake) as dify:
            today = (await dify.dashboard(days=1)).period.days[0]
            dashboard = await dify.dashboard(today.replace(day=1), metrics=["token_costs"])
        (costs,) = body["costs"]
        assert body["failed"] == 0
        assert costs["currency"] == "USD"
        assert date.fromisoformat(costs["month"]) == today.replace(day=1)
        assert float(costs["spent"]) == pytest.approx(float(dashboard.totals["token_costs_USD"].total or 0))
        assert float(costs["projected"]) >= float(costs["spent"])
        # Other pages get the same numbers.
        fake.reset_counters()
        await page.get("/api/month")
        assert fake.count() == 0
