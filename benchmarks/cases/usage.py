"""The usage of a workspace with 10,000 conversations and 60,000 messages."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from benchmarks.measure import Effort, Figures, in_turns, repeated
from benchmarks.workspace import workspace
from dify_async import AsyncDifyServer, MemoryTokenStore

_APPS = 20
_AT_ONCE = 8
_START, _END = "2026-11-01", "2026-11-26"
_EMAIL, _PASSWORD = "owner@example.com", "Secret-Pass-42"

_MEMORY = """
import asyncio, json, sys, tracemalloc
from dify_async import AsyncDifyServer, MemoryTokenStore

async def main(url, start, end):
    async with AsyncDifyServer(url, *sys.argv[4:], token_store=MemoryTokenStore()) as dify:
        await dify.apps()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        usage = await dify.usage(start, end, by=("user", "model"))
        peak = tracemalloc.get_traced_memory()[1]
    print(json.dumps([sum(row.messages for row in usage.rows), peak - before]))

asyncio.run(main(*sys.argv[1:4]))
"""


class _Conversation(Struct):
    id: str
    from_end_user_session_id: str | None


class _Message(Struct):
    created_at: int
    message_tokens: int
    answer_tokens: int
    metadata: dict[str, Any]


class _Conversations(Struct):
    data: list[_Conversation]
    has_more: bool


class _Messages(Struct):
    data: list[_Message]


class _Bare:
    """Sends the same requests, handwritten with the same libraries."""

    def __init__(self, url: str, headers: dict[str, str], app_ids: list[str]) -> None:
        self._base = f"{url}/console/api/apps"
        self._headers = headers
        self._app_ids = app_ids
        self._conversations = msgspec.json.Decoder(_Conversations).decode
        self._messages = msgspec.json.Decoder(_Messages).decode

    async def run(self) -> None:
        found: list[tuple[str, _Conversation]] = []
        tokens: Counter[str | None] = Counter()
        jar, timeout = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout()
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=timeout, headers=self._headers) as session:

            async def get(path: str) -> bytes:
                async with session.get(self._base + path) as answer:
                    return await answer.read()

            async def list_app(number: int) -> None:
                app = self._app_ids[number]
                for statistic in ("daily-messages", "token-costs"):
                    await get(f"/{app}/statistics/{statistic}?start=2026-11-01+00:00&end=2026-11-26+00:00")
                page, has_more = 0, True
                while has_more:
                    page += 1
                    query = f"start=2026-10-31+23:58&sort_by=-updated_at&page={page}&limit=100"
                    answer = self._conversations(await get(f"/{app}/chat-conversations?{query}"))
                    found.extend((app, row) for row in answer.data)
                    has_more = answer.has_more

            async def read(number: int) -> None:
                app, row = found[number]
                answer = self._messages(await get(f"/{app}/chat-messages?conversation_id={row.id}&limit=100"))
                tokens[row.from_end_user_session_id] += sum(
                    message.message_tokens + message.answer_tokens for message in answer.data
                )

            await repeated(list_app, len(self._app_ids), _AT_ONCE)
            await repeated(read, len(found), _AT_ONCE)


async def usage(effort: Effort) -> Figures:
    """Against a handwritten loop, in memory, and with a mark."""
    figures: Figures = {}
    with workspace(max(3, effort.sized(_APPS)), max(100, effort.sized(500))) as (url, send):
        script = [sys.executable, "-c", _MEMORY, url, _START, _END, _EMAIL, _PASSWORD]
        process = await asyncio.create_subprocess_exec(*script, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        messages, peak = json.loads(output)
        assert messages > 0
        figures["usage of 60,000 messages, memory"] = peak / 2**20
        await asyncio.to_thread(send, "")
        store = MemoryTokenStore()
        async with AsyncDifyServer(
            url, _EMAIL, _PASSWORD, token_store=store, max_concurrency=_AT_ONCE
        ) as dify:
            apps = await dify.apps()
            credentials = dify._auth.credentials
            assert credentials is not None
            bare = _Bare(url, dict(credentials.headers), [app.id for app in apps])

            async def ours() -> None:
                await dify.usage(_START, _END, by=("user", "model"))

            await asyncio.to_thread(send, "")
            first = await dify.usage(_START, by=("user", "model"))
            requests, connections = await asyncio.to_thread(send, "more")
            await dify.usage(by=("user", "model"), since=first.mark)
            new_requests, _ = await asyncio.to_thread(send, "")
            costs = await in_turns({"ours": ours, "bare": bare.run}, min(effort.rounds, 3))
        figures["usage since a mark, requests"] = 100 * new_requests / requests
        figures["usage, connections at 8 at once"] = connections
        figures["usage of 60,000 messages / bare"] = costs.ratio("ours", "bare")
        figures["usage of 60,000 messages / bare, wall"] = costs.wall_ratio("ours", "bare")
    return figures
