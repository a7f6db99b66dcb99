"""Server-sent events that concurrent readers of the same thing share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import anyio
import msgspec
from aiohttp import web

from dify_async.errors import DifyError

from .problems import problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable

    Add = Callable[[str, bytes], None]
    Fetch = Callable[[Add], Awaitable[None]]

# Without this header, nginx buffers the stream.
_HEADERS: Final = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
# Seconds between comments: proxies close streams without data for a minute.
KEEPALIVE: Final = 15.0


class Streams:
    """The streams under way, by what they are about."""

    def __init__(self) -> None:
        self._streams: dict[Hashable, _Stream] = {}

    async def follow(self, request: web.Request, key: Hashable, fetch: Fetch) -> web.StreamResponse:
        """Answer with the events of the running stream of this key, or else of a new one.

        `fetch` adds events, each a name and JSON. The last event is "done" with its last data, or "failed"
        with a problem. When the last reader leaves, `fetch` is cancelled.
        """
        answer = web.StreamResponse(headers=_HEADERS)
        await answer.prepare(request)
        stream = self._streams.get(key)
        if stream is None or stream.task.done():
            stream = self._streams[key] = _Stream(fetch)
        stream.readers += 1
        try:
            async for event in stream.events():
                await answer.write(event)
        finally:
            stream.readers -= 1
            if stream.readers == 0:
                stream.task.cancel()
                if self._streams.get(key) is stream:
                    del self._streams[key]
        return answer

    def cancel(self) -> None:
        """End all streams."""
        for stream in self._streams.values():
            stream.task.cancel()


class _Stream:
    """The events of one `fetch`, for all readers; a reader that stalls does not block the others."""

    def __init__(self, fetch: Fetch) -> None:
        self.readers = 0
        self._events: list[bytes] = []
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._run(fetch), name="dify_async web page")

    async def events(self) -> AsyncIterator[bytes]:
        """All events as bytes to send, and a comment after each `KEEPALIVE` seconds without one."""
        sent = 0
        while sent < len(self._events) or not self.task.done():
            if sent < len(self._events):
                yield self._events[sent]
                sent += 1
                continue
            with anyio.move_on_after(KEEPALIVE) as quiet:
                await self._more.wait()
            if quiet.cancelled_caught:
                yield b": keepalive\n\n"

    async def _run(self, fetch: Fetch) -> None:
        try:
            await fetch(self._add)
            self._add("done", b"{}")
        except DifyError as error:
            self._add("failed", msgspec.json.encode(problem_of(error)))
        finally:
            self._more.set()

    def _add(self, event: str, data: bytes) -> None:
        # JSON has no line breaks outside of strings, and escapes those inside.
        self._events.append(b"event: %b\ndata: %b\n\n" % (event.encode(), data))
        self._more.set()
        self._more = asyncio.Event()
