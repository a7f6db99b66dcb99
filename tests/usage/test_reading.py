"""What a usage report requests, and how it ends if something fails."""

from __future__ import annotations

import asyncio

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConfigError,
    DifyLoginError,
    DifyPermissionError,
)
from tests.support import ONCE, UNKNOWN, VERSIONS, client, until

from .support import END, START, a_fake, a_message, put, usage_of


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_conversation_that_began_before_the_range(version: str) -> None:
    """It is listed by its last update, which may be after the range, and read from the start of the range."""
    async with a_fake(version, "chat") as fake:
        inside = [a_message("2026-11-16 00:00"), a_message("2026-11-17 23:59:59", prompt=7, answer=0)]
        around = [a_message("2026-11-15 23:59:59"), a_message("2026-11-18 00:00")]
        later = [a_message("2026-11-18 09:00", 1), a_message("2026-11-15 09:00", 2)]
        put(fake, [*inside, *around, *later])
        usage = await usage_of(fake, "day")
        assert [(row.messages, row.total_tokens, row.conversations) for row in usage.rows] == [
            (1, 120, 1),
            (1, 7, 1),
        ]
        assert usage.unexplained == []
        assert fake.count("GET", "/apps/*/chat-messages") == 1  # nothing of those before and after


async def test_it_stops_at_the_first_older_message() -> None:
    async with a_fake("1.16.1", "chat") as fake:
        old = [
            a_message(f"2026-11-{day:02} {hour:02}:{minute:02}")
            for day in range(1, 11)
            for hour in range(8, 20)
            for minute in (0, 30)
        ]
        put(fake, [*old, a_message("2026-11-16 12:00")])
        usage = await usage_of(fake, "app")
        assert usage.rows[0].messages == 1
        assert fake.count("GET", "/apps/*/chat-messages") == 1


async def test_long_conversations_are_read_to_their_end() -> None:
    async with a_fake("1.16.1", "chat") as fake:
        put(
            fake,
            [
                a_message(f"2026-11-16 {hour:02}:{minute:02}")
                for hour in range(24)
                for minute in range(0, 60, 5)
            ],
        )
        usage = await usage_of(fake, "app")
        assert usage.rows[0].messages == 288
        assert fake.count("GET", "/apps/*/chat-messages") == 3


async def test_an_app_that_fails_has_no_rows() -> None:
    """Not even those that were read before it failed."""
    async with a_fake("1.16.1", "chat", "chat", "chat") as fake, client(fake, retry=ONCE) as dify:
        for app in range(3):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(5)], app=app)
        broken = fake.apps[1]
        fake.inject(f"/apps/{broken.id}/chat-messages", status=403)
        usage = await dify.usage(START, END, apps=[*(app.id for app in fake.apps), UNKNOWN])
        assert {row.app_id: row.messages for row in usage.rows} == {fake.apps[0].id: 5, fake.apps[2].id: 5}
        assert [(error.app_id, error.app_name) for error in usage.errors] == [
            (broken.id, "1 chat"),
            (UNKNOWN, ""),
        ]
        assert not any(error.has_rows for error in usage.errors)
        assert isinstance(usage.errors[0].error, DifyPermissionError)
        assert set(usage.mark.apps) == {fake.apps[0].id, fake.apps[2].id}


async def test_an_app_whose_statistics_fail_has_rows() -> None:
    """The messages are readable; what they do not explain is not known, which the error says."""
    async with a_fake("1.16.1", "chat", "completion") as fake, client(fake, retry=ONCE) as dify:
        for app in range(2):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(5)], app=app)
        fake.inject("/apps/*/statistics/token-costs", status=500)
        usage = await dify.usage(START, END)
        assert [row.messages for row in usage.rows] == [5, 5]
        assert usage.unexplained == []
        assert {error.app_id: error.has_rows for error in usage.errors} == {app.id: True for app in fake.apps}
        assert "statistics/token-costs: 500" in str(usage.errors[0].error)
        assert set(usage.mark.apps) == {app.id for app in fake.apps}
        fake.remove_faults()
        assert (await dify.usage(since=usage.mark)).rows == []
        fake.inject("/apps/*/statistics/*", status=401)
        with pytest.raises(DifyAuthenticationError):
            await dify.usage(START, END)


async def test_a_rejected_login_is_raised() -> None:
    async with a_fake("1.16.1", "chat") as fake, client(fake, password="wrong") as dify:
        with pytest.raises((DifyLoginError, DifyAuthenticationError)):
            await dify.usage(START, END)


async def test_a_conversation_that_is_deleted_while_it_is_read() -> None:
    """The statistics still count its messages."""
    async with a_fake("1.16.1", "chat") as fake:
        put(fake, [a_message("2026-11-16 10:00", number) for number in range(3)])
        fake.inject("/apps/*/chat-messages", status=404, times=1)
        usage = await usage_of(fake, "app")
        assert (usage.rows[0].messages, usage.unexplained[0].messages) == (2, 1)


async def test_a_conversation_that_is_updated_while_the_pages_are_read() -> None:
    """It moves to the first page, which was read before, and is on none of the later ones."""
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        old = [
            a_message(f"2026-11-16 10:{number // 60:02}:{number % 60:02}", number) for number in range(250)
        ]
        put(fake, old)
        seen = 0

        def progress(done: int, _: int) -> None:
            nonlocal seen
            seen = done
            if done == 1:
                put(fake, [*old, a_message("2026-11-16 12:00", 0)])

        usage = await dify.usage(START, END, progress=progress)
        assert usage.rows[0].conversations == 250
        assert usage.rows[0].messages == 251
        assert seen == 250


async def test_progress() -> None:
    async with a_fake("1.16.1", "chat", "workflow", "completion") as fake:
        for app in range(3):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(4)], app=app)
        calls: list[tuple[int, int]] = []
        await usage_of(fake, "app", progress=lambda done, total: calls.append((done, total)))
        assert calls[-1] == (12, 12)
        assert [done for done, _ in calls] == sorted(done for done, _ in calls)
        assert all(done <= total for done, total in calls)


async def test_requests_at_once() -> None:
    async with (
        a_fake("1.16.1", "chat", "chat", latency=0.005) as fake,
        client(fake, max_concurrency=3) as dify,
    ):
        for app in range(2):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(30)], app=app)
        await dify.usage(START, END, by=("user", "model"))
        assert fake.peak_requests == 3
        assert fake.connections_opened <= 3


async def test_one_request_at_once() -> None:
    async with a_fake("1.16.1", "chat", "workflow") as fake, client(fake, max_concurrency=1) as dify:
        for app in range(2):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(3)], app=app)
        usage = await dify.usage(START, END, by=("app", "model"))
        assert sum(row.messages for row in usage.rows) == 3


async def test_cancellation_leaves_nothing() -> None:
    async with a_fake("1.16.1", "chat", "chat") as fake, client(fake) as dify:
        for app in range(2):
            put(fake, [a_message("2026-11-16 10:00", number) for number in range(30)], app=app)
        held = fake.inject("/apps/*/chat-messages", delay=3600)
        task = asyncio.create_task(dify.usage(START, END))
        await until(lambda: held.hits >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not [task for task in asyncio.all_tasks() if "for_each" in repr(task.get_coro())]
        fake.remove_faults()
        usage = await dify.usage(START, END)
        assert sum(row.messages for row in usage.rows) == 60


async def test_wrong_arguments(dify: AsyncDifyServer) -> None:
    for arguments, text in (
        ({"by": ("apps",)}, "by must be one of app, .*did you mean 'app'"),
        ({"days": 0}, "days must be an integer from 1"),
        ({"since": "mark"}, "since must be a UsageMark"),
        ({"apps": "x"}, "apps must be a list"),
        ({"progress": 1}, "progress must be a function"),
    ):
        with pytest.raises(DifyConfigError, match=text):
            await dify.usage(**arguments)
