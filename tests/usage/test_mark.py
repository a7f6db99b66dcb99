"""Incremental reports: each message is counted once."""

from __future__ import annotations

import pickle
import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import DifyConfigError, Usage, UsageMark
from dify_async.testing._console.history import Message
from dify_async.usage.mark import MAX_PENDING, SETTLE, AppMark, Reading
from tests.support import JSON, ONCE, VERSIONS, client

from .support import a_fake, a_message, put, tokens

START = "2026-11-10 00:00"
NOW = 10**9


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_message_once(version: str) -> None:
    """New messages in old and new conversations of every mode, also of the second of the last report."""
    modes = ("chat", "advanced-chat", "workflow", "completion")
    async with a_fake(version, *modes) as fake, client(fake) as dify:
        messages = [a_message("2026-11-16 10:00", number, user=number) for number in range(5)]
        reports: list[Usage] = []
        new: list[list[Message]] = [
            messages,
            [],
            [a_message("2026-11-16 10:00", 7), a_message("2026-11-16 10:01", 8)],
            [a_message("2026-11-20 09:00", 9)],
        ]
        put_so_far: list[Message] = []
        for more in new:
            put_so_far += more
            for app in range(len(modes)):
                put(fake, put_so_far, app=app)
            mark = UsageMark.from_json(reports[-1].mark.to_json()) if reports else None
            start = None if mark else START
            reports.append(await dify.usage(start, by=("app",), since=mark))
        assert [sum(row.messages for row in report.rows) for report in reports] == [15, 0, 6, 3]
        assert [sum(row.runs for row in report.rows) for report in reports] == [10, 0, 4, 2]
        assert all(report.unexplained == [] for report in reports[1:])
        assert all(len(mark.counted) < 8 for mark in reports[-1].mark.apps.values())


async def test_more_messages_in_an_old_conversation() -> None:
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        old = [a_message("2026-11-12 10:00", 0), a_message("2026-11-16 10:00", 1)]
        put(fake, old)
        first = await dify.usage(START)
        put(fake, [*old, a_message("2026-11-17 10:00", 0, prompt=3, answer=0)])
        fake.reset_counters()
        second = await dify.usage(since=first.mark)
        assert (second.rows[0].messages, second.rows[0].total_tokens) == (1, 3)
        # The newest conversation is read again, since messages may become visible late.
        assert fake.count("GET", "/apps/*/chat-messages") == 2
        assert not fake.count("GET", "/apps/*/statistics/*")


async def test_an_app_that_failed_is_read_again_from_where_it_was() -> None:
    async with a_fake("1.16.1", "chat", "chat") as fake, client(fake, retry=ONCE) as dify:
        broken = fake.apps[1].id
        old = [a_message("2026-11-12 10:00", number) for number in range(3)]
        new = [*old, a_message("2026-11-13 10:00", 3)]
        total = 0
        mark = None
        for messages, fails in ((old, True), (old, False), (new, True), (new, False)):
            for app in range(2):
                put(fake, messages, app=app)
            if fails:
                fake.inject(f"/apps/{broken}/chat-messages", status=500)
            report = await dify.usage(None if mark else START, since=mark)
            fake.remove_faults()
            assert len(report.errors) == fails
            mark = report.mark
            total += tokens(report.rows)
        assert total == 2 * len(new) * 120


async def test_an_interrupted_report() -> None:
    """Run again with the old mark, it counts each message once."""
    async with a_fake("1.16.1", "chat", "chat") as fake, client(fake) as dify:
        for app in range(2):
            put(fake, [a_message("2026-11-12 10:00", number) for number in range(4)], app=app)
        first = await dify.usage(START)
        for app in range(2):
            put(fake, [a_message("2026-11-12 10:00", number) for number in range(20)], app=app)

        def stop(done: int, _: int) -> None:
            if done == 15:
                raise KeyError(done)

        with pytest.raises(KeyError):
            await dify.usage(since=first.mark, progress=stop)
        second = await dify.usage(since=first.mark)
        assert sum(row.messages for row in second.rows) == 32


async def test_an_app_that_was_not_there() -> None:
    async with a_fake("1.16.1", "chat", "chat") as fake, client(fake) as dify:
        for app in range(2):
            put(fake, [a_message("2026-11-12 10:00", 0), a_message("2026-11-01 10:00", 1)], app=app)
        first = await dify.usage(START, apps=[fake.apps[0].id])
        second = await dify.usage(since=first.mark)
        assert [(row.app_id, row.messages) for row in second.rows] == [(fake.apps[1].id, 1)]
        assert (await dify.usage(since=second.mark)).rows == []


async def test_a_report_of_the_past_ends_where_it_ends() -> None:
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        put(fake, [a_message(f"2026-11-{day} 10:00", 0) for day in range(10, 20)])
        first = await dify.usage(START, "2026-11-13 00:00")
        second = await dify.usage(since=first.mark, end="2026-11-16 00:00")
        third = await dify.usage(since=second.mark)
        assert [report.rows[0].messages for report in (first, second, third)] == [3, 3, 4]
        assert second.period.start == first.period.start


async def test_a_report_that_ends_before_its_mark_forgets_nothing() -> None:
    """Whatever is asked in between, with other groups, apps and ranges, each message is counted once."""
    async with a_fake("1.16.1", "chat", "workflow", "completion") as fake, client(fake) as dify:
        for app in range(3):
            put(fake, [a_message(f"2026-11-12 10:0{number}", number) for number in range(5)], app=app)
        first = await dify.usage(START)
        assert (sum(row.messages for row in first.rows), sum(row.runs for row in first.rows)) == (10, 5)
        mark = first.mark
        for end in ("2026-11-11 00:00", "2026-11-12 10:01", "2026-11-12 10:04:30"):
            for apps in ([fake.apps[0].id], None):
                between = await dify.usage(START, end, since=mark, by=("user",), apps=apps)
                assert between.rows == []
                mark = between.mark
        for app in range(3):
            put(fake, [a_message(f"2026-11-12 10:0{number}", number) for number in range(7)], app=app)
        last = await dify.usage(since=mark)
        assert (sum(row.messages for row in last.rows), sum(row.runs for row in last.rows)) == (4, 2)
        assert [len(one.counted) for one in last.mark.apps.values()] == [6, 6, 6]


@pytest.mark.parametrize("begun", ['"answer": ""', '"answer": "Please choose", "status": "paused"'])
async def test_an_answer_that_is_not_finished_is_counted_when_it_is(begun: str) -> None:
    """Dify stores a message before it asks the model, without tokens; a workflow may wait for a person."""
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        put(fake, [a_message("2026-11-12 10:00")])
        now = int(time.time())
        row = '{"data": [{"id": "m", "created_at": %d, "message_tokens": %d, ' + begun + "}]}"
        fault = fake.inject("/apps/*/chat-messages", body=(row % (now - 60, 0)).encode(), headers=JSON)
        first = await dify.usage("2020-01-01 00:00")
        assert first.rows == []
        fault.remove()
        fake.inject("/apps/*/chat-messages", body=(row % (now - 60, 9)).encode(), headers=JSON)
        second = await dify.usage(since=first.mark)
        assert [(row.messages, row.total_tokens) for row in second.rows] == [(1, 9)]
        assert (await dify.usage(since=second.mark)).rows == []


def test_a_mark_is_small_text() -> None:
    mark = UsageMark(start=5, apps={"a": AppMark(7, ("x", "y"))})
    assert mark.to_json() == '{"start":5,"apps":{"a":{"until":7,"counted":["x","y"]}}}'
    assert UsageMark.from_json(mark.to_json()) == UsageMark.from_json(mark.to_json().encode()) == mark
    assert pickle.loads(pickle.dumps(mark)) == mark
    for text in ("", "{}", "[]", '{"start": "x"}', b"\xff", None, 5):
        with pytest.raises(DifyConfigError, match=r"JSON from UsageMark.to_json\(\)"):
            UsageMark.from_json(text)  # type: ignore[arg-type]  # wrong on purpose


TIMES = st.integers(NOW - 4 * MAX_PENDING, NOW + SETTLE)


@given(
    rows=st.lists(st.tuples(TIMES, st.integers(0, SETTLE), st.integers(0, MAX_PENDING)), max_size=30),
    clocks=st.lists(TIMES, min_size=1, max_size=8).map(sorted),
    skew=st.integers(-10 * MAX_PENDING, 10 * MAX_PENDING),
)
def test_rows_that_appear_late_or_are_pending_are_counted_once(
    rows: list[tuple[int, int, int]], clocks: list[int], skew: int
) -> None:
    """Whatever this machine's clock says; what is pending has ended when it is as old as it may be."""
    counted: dict[str, int] = {}
    mark: AppMark | None = None
    for clock in [*clocks, NOW + 10 * MAX_PENDING]:
        reading = Reading(NOW - 10 * MAX_PENDING, NOW + 20 * MAX_PENDING, mark, clock + skew)
        visible = [(number, row) for number, row in enumerate(rows) if row[0] + row[1] <= clock]
        if visible:
            reading.begin(max(row[0] for _, row in visible))
        for number, (at, _, duration) in visible:
            is_pending = at + duration > clock
            if at >= reading.start and reading.is_new(str(number), at, is_pending=is_pending):
                # With a clock that is ahead, it may be counted without its tokens, but only once.
                counted[str(number)] = counted.get(str(number), 0) + 1
        mark = reading.mark()
    assert counted == {str(number): 1 for number in range(len(rows))}


def test_a_mark_keeps_only_the_last_ids() -> None:
    reading = Reading(0, 2 * NOW, None, NOW)
    reading.begin(NOW - 10)
    for number in range(100_000):
        assert reading.is_new(str(number), NOW - number)
    mark = reading.mark()
    assert mark is not None
    assert mark.until == NOW - 10 - SETTLE
    assert len(mark.counted) == SETTLE + 11


async def test_a_mark_of_nothing() -> None:
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        first = await dify.usage(date(2026, 11, 10))
        assert first.mark == UsageMark(start=int(datetime(2026, 11, 10, 5, tzinfo=UTC).timestamp()))
        put(fake, [a_message("2026-11-09 10:00", 1), a_message("2026-11-12 10:00", 2)])
        assert [row.messages for row in (await dify.usage(since=first.mark)).rows] == [1]
