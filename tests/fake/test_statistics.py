"""The twelve statistics: shapes by version, ranges, zones, and numbers that agree."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.models import MODES
from dify_async.testing._console.traffic import shared_traffic
from tests.support import UNKNOWN

from .user import User, release

TODAY = date(2026, 11, 25)
FIELDS: dict[str, dict[str, type]] = {
    "/statistics/daily-messages": {"message_count": int},
    "/statistics/daily-conversations": {"conversation_count": int},
    "/statistics/daily-end-users": {"terminal_count": int},
    "/statistics/token-costs": {"token_count": int, "total_price": str, "currency": str},
    "/statistics/average-session-interactions": {"interactions": float},
    "/statistics/user-satisfaction-rate": {"rate": float},
    "/statistics/average-response-time": {"latency": float},
    "/statistics/tokens-per-second": {"tps": float},
    "/workflow/statistics/daily-conversations": {"runs": int},
    "/workflow/statistics/daily-terminals": {"terminal_count": int},
    "/workflow/statistics/token-costs": {"token_count": str},
    "/workflow/statistics/average-app-interactions": {"interactions": float},
}
CHAT_MODES = {"chat", "agent-chat", "advanced-chat"}
ONLY: dict[str, set[str]] = {
    "/statistics/average-session-interactions": CHAT_MODES,
    "/statistics/average-response-time": {"completion"},
    "/workflow/statistics/average-app-interactions": {"workflow"},
}
DAILY = "/statistics/daily-messages"
RUNS = "/workflow/statistics"
AUTUMN = "2026-10-20 00:00"


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    apps = [FakeApp(name=mode, mode=mode) for mode in MODES]
    async with FakeDifyServer(version, apps=apps, today=TODAY) as fake:
        yield fake


async def ask(user: User, statistic: str, mode: str = "chat", **query: str) -> list[dict[str, Any]]:
    app_id = next(app.id for app in user.fake.apps if app.mode == mode)
    answer = await user.get(f"/apps/{app_id}{statistic}", **query)
    assert answer.status == 200, answer.text
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


async def refused(user: User, mode: str = "chat", **query: str) -> Any:
    app_id = next(app.id for app in user.fake.apps if app.mode == mode)
    answer = await user.get(f"/apps/{app_id}{DAILY}", **query)
    assert answer.status == 400
    return answer.json


async def test_rows_and_modes(user: User) -> None:
    # statistics__*__chat, workflow_statistics__*, 07_stat_*_full_range_utc, 07_wfstat_*
    for statistic, fields in FIELDS.items():
        tables = (
            {"workflow", "advanced-chat"} if statistic.startswith("/workflow") else set(MODES) - {"workflow"}
        )
        for mode in MODES:
            if mode not in ONLY.get(statistic, MODES):
                app_id = next(app.id for app in user.fake.apps if app.mode == mode)
                answer = await user.get(f"/apps/{app_id}{statistic}")
                assert (answer.status, answer.json["code"]) == (404, "app_not_found")
                assert answer.json["message"].startswith("App mode is not in the supported list: {'")
                continue
            rows = await ask(user, statistic, mode, start=AUTUMN)
            assert bool(rows) == (mode in tables)
            for row in rows:
                assert row.keys() == {"date", *fields}
                for name, kind in fields.items():
                    assert type(row[name]) is kind or (name == "total_price" and row[name] is None)
            dates = [row["date"] for row in rows]
            assert len(set(dates)) == len(dates)
            # Only these come in no order: 07_wfstat_average_app_interactions__workflow_app_full_range_utc
            assert (dates != sorted(dates)) == statistic.endswith("average-app-interactions")


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_days_without_traffic_are_absent(user: User) -> None:
    days = {date.fromisoformat(row["date"]) for row in await ask(user, DAILY)}
    assert max(days) == TODAY
    assert TODAY - timedelta(days=400) < min(days)
    assert not any(day.weekday() == 6 for day in days)
    assert 280 < len(days) < 345
    user.fake.add_app("Unused", "agent-chat", messages_per_day=0)
    unused = user.fake.apps[-1]
    assert (await user.get(f"/apps/{unused.id}{DAILY}")).json == {"data": []}


async def test_numbers_of_one_day_agree(user: User) -> None:
    for mode in ("chat", "agent-chat", "advanced-chat", "completion"):
        columns: dict[str, dict[str, Any]] = {}
        for statistic, fields in FIELDS.items():
            if mode in ONLY.get(statistic, MODES) and not statistic.startswith("/workflow"):
                for row in await ask(user, statistic, mode, start=AUTUMN):
                    for name in fields:
                        columns.setdefault(row["date"], {})[name] = row[name]
        for day in columns.values():
            assert day["terminal_count"] <= day["conversation_count"] <= day["message_count"]
            assert 0 <= day["rate"] <= 1000
            assert day["token_count"] >= 70 * day["message_count"]
            assert 0 < day["tps"] < 1000
            if mode == "completion":
                assert day["conversation_count"] == day["message_count"]
                assert day["latency"] > 0
            else:
                # Messages per conversation that was opened on the day; it may go on for several days.
                assert day.get("interactions", 1) >= 1
    runs = {
        row["date"]: row["runs"]
        for row in await ask(user, "/workflow/statistics/daily-conversations", "workflow")
    }
    for row in await ask(user, "/workflow/statistics/daily-terminals", "workflow"):
        assert row["terminal_count"] <= runs[row["date"]]


@pytest.mark.parametrize(("version", "kind"), [("0.14.2", int), ("0.15.0", str)], indirect=["version"])
async def test_tokens_of_runs_are_text_since_0_15(user: User, kind: type) -> None:
    rows = await ask(user, f"{RUNS}/token-costs", "workflow", start=AUTUMN)
    assert {type(row["token_count"]) for row in rows} == {kind}


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_prices(user: User) -> None:
    # 07_stat_token_costs__odd_numbers_app: "0E-7" is nothing, null is unknown
    costs = "/statistics/token-costs"
    rows = [row for mode in sorted(CHAT_MODES) for row in await ask(user, costs, mode)]
    prices = {row["total_price"] for row in rows}
    assert {"0E-7", None} < prices
    for price in prices - {"0E-7", None}:
        assert 0 < Decimal(price) < 1
        assert len(price) == len("0.0012340")


async def test_parts_add_up_to_the_whole(user: User) -> None:
    # start is inclusive, end is not: statistics__daily_messages__boundary_*
    cuts = [
        "2026-11-02 00:00",
        "2026-11-04 09:30",
        "2026-11-04 14:07",
        "2026-11-07 23:59",
        "2026-11-12 00:00",
    ]
    for statistic, field in ((DAILY, "message_count"), ("/statistics/token-costs", "token_count")):
        whole = sum(row[field] for row in await ask(user, statistic, start=cuts[0], end=cuts[-1]))
        parts = [
            sum(row[field] for row in await ask(user, statistic, start=start, end=end))
            for start, end in pairwise(cuts)
        ]
        assert sum(parts) == whole > 0
        assert min(parts) > 0
    assert await ask(user, DAILY, start=cuts[0], end=cuts[0]) == []
    late = await ask(user, DAILY, start=AUTUMN)
    assert await ask(user, DAILY, start=AUTUMN, end="2030-01-01 00:00") == late
    assert await ask(user, DAILY, start=cuts[0]) == [row for row in late if row["date"] >= cuts[0][:10]]


async def test_2359_loses_a_minute(user: User) -> None:
    # 07_stat_last_minute_of_day_lost_with_2359, 07_stat_whole_day_with_next_midnight
    busy = max(await ask(user, DAILY, start=AUTUMN), key=lambda row: int(row["message_count"]))
    day = date.fromisoformat(busy["date"])
    whole = await ask(user, DAILY, start=f"{day} 00:00", end=f"{day + timedelta(days=1)} 00:00")
    assert whole == [busy]
    short = await ask(user, DAILY, start=f"{day} 00:00", end=f"{day} 23:59")
    assert short[0]["message_count"] == busy["message_count"] - 1


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Pacific/Auckland", "Asia/Kolkata"])
@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_time_zones_move_the_days(user: User, zone: str) -> None:
    # 07_tz_utc__*, 07_tz_asia_shanghai__*; the same messages, in other days
    here = await ask(user, DAILY)
    await user.ask("POST", "/account/timezone", content={"timezone": zone})
    there = await ask(user, DAILY)
    assert there != here
    assert sum(row["message_count"] for row in there) == sum(row["message_count"] for row in here)
    day, after = "2026-11-10 00:00", "2026-11-11 00:00"
    assert await ask(user, DAILY, start=day, end=after) == [
        row for row in there if row["date"] == "2026-11-10"
    ]


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_days_of_daylight_saving(user: User) -> None:
    # 07_tz_america_new_york__dst_*: 2026-03-08 has 23 hours; 02:30 on it is 03:30
    day = [row for row in await ask(user, DAILY) if row["date"] == "2026-03-07"]
    assert await ask(user, DAILY, start="2026-03-07 00:00", end="2026-03-08 00:00") == day
    message = "start must be earlier than or equal to end"
    assert (await refused(user, start="2026-03-08 02:30", end="2026-03-08 03:00"))["message"] == message
    # 01:30 comes twice on 2025-11-02 and is the later one.
    from_half_past = await ask(user, DAILY, start="2025-11-02 01:30", end="2025-11-02 01:30")
    assert from_half_past == []
    # Lord Howe leaves out half an hour on 2026-10-04: its 02:15 is 03:15 all the same.
    await user.ask("POST", "/account/timezone", content={"timezone": "Australia/Lord_Howe"})
    assert (await refused(user, start="2026-10-04 02:15", end="2026-10-04 03:00"))["message"] == message


async def test_bad_times(user: User, version: str, subtests: pytest.Subtests) -> None:
    # statistics__daily_messages__fmt_start_*, 07_stat_format_*
    for text in ("garbage", "2026-11-18", "2026-11-18T00:00", "2026-11-18 00:00:00", "2026-11-18 24:00"):
        for name in ("start", "end"):
            body = await refused(user, **{name: text})
            plain = f"Invalid argument: {text}. argument must be conform to the format %Y-%m-%d %H:%M"
            with subtests.test(text=text, name=name):
                if version == "0.15.3":
                    assert body == {"code": "invalid_param", "message": plain, "params": name}
                elif version in ("1.9.1", "1.10.1"):
                    assert body == {"errors": {name: plain}, "message": "Input payload validation failed"}
                else:
                    assert (body["code"], body["status"]) == ("bad_request", 400)
                    assert body["message"].startswith(f"Invalid {name} time format: ")


async def test_times_that_pass(user: User, version: str) -> None:
    # fmt_no_start_end, fmt_start_unpadded, fmt_start_empty, fmt_start_after_end
    padded = await ask(user, DAILY, start="2026-11-09 01:05")
    assert await ask(user, DAILY, start="2026-11-9 1:5") == padded
    if release(version) >= (1, 11, 0):
        assert await ask(user, DAILY, start=AUTUMN, end="") == await ask(user, DAILY, start=AUTUMN)
    else:
        await refused(user, start=AUTUMN, end="")
    backward = {"start": "2026-11-24 00:00", "end": "2026-11-14 00:00"}
    if release(version) >= (1, 10, 0):
        message = "start must be earlier than or equal to end"
        assert await refused(user, **backward) == {"code": "bad_request", "message": message, "status": 400}
    else:
        assert await ask(user, DAILY, **backward) == []


async def test_unknown_app(user: User, version: str) -> None:
    # statistics__daily_messages__unknown_app
    answer = await user.get(f"/apps/{UNKNOWN}{DAILY}")
    assert (answer.status, answer.json["code"], answer.json["status"]) == (404, "app_not_found", 404)
    path = f"/console/api/apps/{UNKNOWN}{DAILY}"
    hint = (
        "" if version == "0.15.3" else f" You have requested this URI [{path}] but did you mean /console/api/"
    )
    assert answer.json["message"].startswith(f"App not found.{hint}")


async def test_an_account_without_a_zone(user: User, version: str) -> None:
    # statistics__daily_messages__tz_null_in_database, 07_stat_account_timezone_null
    user.fake.add_account("guest@example.com", "Guest-Pass-42", timezone=None)
    await user.log_in("guest@example.com", "Guest-Pass-42")
    answer = await user.get(f"/apps/{user.fake.apps[0].id}{DAILY}")
    status = {} if version == "0.15.3" else {"status": 500}
    assert (answer.status, answer.json) == (
        500,
        {"message": "Internal Server Error", "code": "unknown", **status},
    )


async def test_the_same_numbers_in_every_run(session: aiohttp.ClientSession) -> None:
    answers = []
    for seed in (0, 0, 1):
        async with FakeDifyServer(today=TODAY, seed=seed) as fake:
            user = User(fake, session)
            await user.log_in()
            answers.append(await ask(user, "/statistics/token-costs"))
    assert answers[0] == answers[1] != answers[2]


def test_days_are_made_once() -> None:
    app, zone = FakeApp(name="Busy", mode="chat", id="busy"), ZoneInfo("Europe/Berlin")
    traffic = shared_traffic(0, zone, TODAY)
    first, again = (list(traffic.days(app, zone, None, None, debug=False)) for _ in range(2))
    assert len(first) == 400
    assert all(one is other for (_, one), (_, other) in zip(first, again, strict=True))
