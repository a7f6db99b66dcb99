"""Who used what: read on demand, with progress."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dify_async import Period, Usage, UsageMark, UsageRow
from dify_async.testing import FakeDifyServer
from dify_async.web.usage import report_of
from tests.support import an_app, client, until
from tests.web.browser import NEEDS_BROWSER, Browser, wait_for_all
from tests.web.support import events_of, page_of, streams


@pytest.mark.calendar
@pytest.mark.parametrize("query", ["mode=chat", "app"])
async def test_it_matches_the_usage_of_the_client(fake: FakeDifyServer, query: str) -> None:
    app = an_app(fake)
    query = query if "=" in query else f"app={app}"
    async with page_of(fake) as page, page.get(f"/api/usage?days=7&by=user&{query}") as answer:
        *events, (name, report), (last, _) = await events_of(answer)
    assert {event for event, _ in events} == {"progress"}
    assert all(0 <= progress["done"] <= progress["total"] for _, progress in events)
    assert (name, last) == ("report", "done")
    async with client(fake) as dify:
        apps = [app] if "app=" in query else await dify.apps(mode="chat")
        usage = await dify.usage(days=7, apps=apps, by=["user", "account"])
    assert sum(row["tokens"] for row in report["rows"]) == sum(row.total_tokens for row in usage.rows)
    assert {row["name"] for row in report["rows"]} == {row.user or row.account for row in usage.rows}
    costs = [Decimal(row["cost"].get("USD", 0)) for row in report["rows"]]
    assert costs == sorted(costs, reverse=True)
    assert fake.count("GET", "/apps/*/chat-conversations/*") == 0  # it would be marked as read


async def test_readers_share_it_and_leaving_stops_it(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        fake.inject("/apps/*/chat-messages", delay=0.5)
        async with page.get("/api/usage?days=30&by=model") as answer:
            await answer.content.readuntil(b"\n\n")
            answer.close()
        await until(lambda: not streams())
        assert fake.count("GET", "/apps/*/chat-messages") < 100
        async with page.get("/api/usage?days=30&by=colour") as answer:
            assert answer.status == 400
            assert "by must be one of" in (await answer.json())["detail"]


def test_the_largest_consumers_and_what_is_unexplained() -> None:
    def row(name: str | None, tokens: int, **others: Any) -> UsageRow:
        return UsageRow(user=name, messages=1, total_tokens=tokens, **others)

    start, day = datetime(2026, 10, 1, tzinfo=UTC), date(2026, 10, 1)
    usage = Usage(
        period=Period(start=start, end=start + timedelta(days=1), zone="UTC", days=(day,), today=day),
        by=("user", "account"),
        rows=[
            *(row(f"user-{number:03}", number) for number in range(150)),
            row("costly", 1, cost={"USD": Decimal("0.5")}),
        ],
        unexplained=[row(None, 30), row(None, -4, cost={"USD": Decimal("-0.25")})],
        errors=[],
        mark=UsageMark(start=0),
    )
    report = report_of(usage)
    assert [one.name for one in report.rows][:2] == ["costly", "user-149"]
    assert (len(report.rows), report.hidden) == (100, 51)
    assert report.others is not None
    assert report.others.tokens == sum(range(51))
    assert (report.unreadable.tokens, report.unreadable.messages) == (30, 2)
    assert (report.uncounted.tokens, report.uncounted.cost) == (4, {"USD": Decimal("0.25")})


@pytest.mark.slow
@NEEDS_BROWSER
def test_in_the_page(page: Browser, url: str, console: FakeDifyServer) -> None:
    page.open(f"{url}?days=7&mode=chat")
    wait_for_all(page)
    page.find("#usage [data-by=model]").click()
    page.until(lambda: page.texts("#usage tbody tr"))
    shares = [int(text.rstrip("%")) for text in page.texts("#usage tbody td:nth-child(3)")]
    assert 98 <= sum(shares) <= 102
    slow = console.inject("/apps/*/chat-messages", delay=3600)
    page.find("#usage [data-by=user]").click()
    page.until(lambda: "of" in page.find("#usage [role=status]").text)
    page.find("#usage .progress button").click()  # stop
    page.until(lambda: page.texts("#usage [data-by=user]"))
    slow.remove()
    console.inject("/apps/*/chat-conversations", status=403)
    page.find("#usage [data-by=user]").click()
    page.until(lambda: "could not be read" in page.find("#usage").text)
