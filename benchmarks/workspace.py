"""A fake console with a busy workspace, in a separate process.

    python -m benchmarks.workspace --apps 20 --conversations 500

It prints its URL. Each line on stdin prints the number of requests and of connections since the last one; the
line "more" also adds a message to 1 % of the conversations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.history import Message

MESSAGES = 6  # per conversation
_ZONE = "America/New_York"
_MONTH = datetime(2026, 11, 1, tzinfo=ZoneInfo(_ZONE))
_SPACING = 3600


@contextmanager
def workspace(apps: int, conversations: int) -> Iterator[tuple[str, Callable[[str], tuple[int, int]]]]:
    """Run it; yield its URL, and a function that sends a line."""
    arguments = ["--apps", str(apps), "--conversations", str(conversations)]
    command = [sys.executable, "-m", "benchmarks.workspace", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()

            def send(line: str) -> tuple[int, int]:
                assert process.stdin is not None
                assert process.stdout is not None
                print(line, file=process.stdin, flush=True)
                requests, connections = json.loads(process.stdout.readline())
                return requests, connections

            yield url, send
        finally:
            process.kill()


def _messages(conversations: int) -> Iterator[Message]:
    start = int(_MONTH.timestamp())
    for conversation in range(conversations):
        for number in range(MESSAGES):
            at = start + conversation * 23 * 86400 // conversations + number * _SPACING
            yield _message(conversation, at, MESSAGES if not number else 0)


def _message(conversation: int, at: int, opens: int) -> Message:
    user = conversation % 50
    return Message(at, conversation, opens, user, 120, 20, 1000, 900, liked=False)


def _put(fake: FakeDifyServer, app: FakeApp, messages: list[Message]) -> None:
    traffic = fake._state.traffic
    days: dict[date, list[Message]] = {day: [] for day in traffic._dates}
    for message in sorted(messages, key=lambda one: one.at):
        days[datetime.fromtimestamp(message.at, ZoneInfo(_ZONE)).date()].append(message)
    for day, rows in days.items():
        traffic._made[app.id, app.mode, app.messages_per_day, day] = rows
    traffic._histories.clear()


async def _serve(apps: int, conversations: int) -> None:
    served = [FakeApp(name=f"App {number}", mode="chat", messages_per_day=0) for number in range(apps)]
    async with FakeDifyServer("1.16.1", apps=served, timezone=_ZONE, today=date(2026, 11, 25)) as fake:
        messages = list(_messages(conversations))
        for app in fake.apps:
            _put(fake, app, messages)
        print(fake.base_url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps([len(fake.requests), fake.connections_opened]), flush=True)
            fake.reset_counters()
            if line.strip() == "more":
                at = int(datetime(2026, 11, 25, 9, tzinfo=ZoneInfo(_ZONE)).timestamp())
                more = [_message(number * 100, at + number, 0) for number in range(conversations // 100)]
                for app in fake.apps:
                    _put(fake, app, [*messages, *more])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--apps", type=int, default=20)
    parser.add_argument("--conversations", type=int, default=500)
    options = parser.parse_args()
    asyncio.run(_serve(options.apps, options.conversations))
