"""A workspace with several hundred conversations."""

from __future__ import annotations

from tests.support import client

from .support import a_fake, a_message, put

APPS, CONVERSATIONS, MESSAGES = 2, 200, 3


async def test_a_large_workspace() -> None:
    """No more connections than allowed, and few requests for what is new."""
    async with a_fake("1.16.1", *["chat"] * APPS) as fake, client(fake, max_concurrency=4) as dify:
        messages = [
            a_message(
                f"2026-11-{1 + number % 20:02} {8 + place:02}:{number // 20 * 6:02}", number, user=number % 50
            )
            for number in range(CONVERSATIONS)
            for place in range(MESSAGES)
        ]
        for app in range(APPS):
            put(fake, messages, app=app)
        first = await dify.usage("2026-11-01 00:00", by=("user", "model"))
        assert sum(row.messages for row in first.rows) == APPS * CONVERSATIONS * MESSAGES
        assert len({row.user for row in first.rows}) == 50
        assert fake.connections_opened <= 4
        assert fake.count("GET", "/apps/*/chat-messages") == APPS * CONVERSATIONS
        requests = len(fake.requests)

        new = [a_message("2026-11-24 10:00", number * 100) for number in range(CONVERSATIONS // 100)]
        for app in range(APPS):
            put(fake, [*messages, *new], app=app)
        fake.reset_counters()
        second = await dify.usage(by=("user", "model"), since=first.mark)
        assert sum(row.messages for row in second.rows) == APPS * len(new)
        assert len(fake.requests) < 0.03 * requests
        assert len(second.mark.to_json()) < 3000
