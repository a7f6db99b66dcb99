"""One request until its answer: a slot for each attempt, and a wait between two."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio

from dify_async.errors import DifyConnectionError
from dify_async.events import (
    RequestAnswered,
    RequestFailed,
    RequestRetried,
    RequestStarted,
)

from .wire import retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from dify_async.events import OnEvent

    from .limiter import AdaptiveLimiter
    from .retry import Tries
    from .transport import Request, Transport
    from .wire import Reply

logger = logging.getLogger("dify_async")


class Sender:
    """Sends a request as often as its budget allows."""

    def __init__(self, transport: Transport, emit: OnEvent | None) -> None:
        self.transport = transport
        self._emit = emit

    async def __call__(self, request: Request, tries: Tries, limiter: AdaptiveLimiter | None = None) -> Reply:
        """The last answer, whatever its status; or the last failure raised.

        Sign-in and renewal take no slot, so that `max_concurrency=1` works.
        """
        while True:
            tries.used += 1
            try:
                if limiter is None:
                    reply = await self._sent(request, tries)
                else:
                    reply = await self._in_a_slot(limiter, request, tries)
            except DifyConnectionError as error:
                wait = tries.wait_after_error(error)
                if wait is None:
                    raise
                logger.info("%s; again in %.2f s", error, wait)
            else:
                if reply.status < 400:
                    return reply
                wait = tries.wait_after_status(reply.status, retry_after(reply.headers))
                if wait is None:
                    return reply
                path = self.transport.path_of(request.url)
                logger.info("%s %s: %d; again in %.2f s", request.method, path, reply.status, wait)
            if self._emit is not None:
                what = tries.call, request.method, request.route, tries.used + 1
                self._emit(RequestRetried(*what, wait, host=self.transport.host, port=self.transport.port))
            await anyio.sleep(wait)

    async def _in_a_slot(self, limiter: AdaptiveLimiter, request: Request, tries: Tries) -> Reply:
        if not limiter.take():
            await limiter.wait()
        try:
            reply = await self._sent(request, tries)
            if reply.status in {429, 503}:
                limiter.slow_down()
            else:
                limiter.speed_up()
            return reply
        finally:
            limiter.give_back()

    def _sent(self, request: Request, tries: Tries) -> Awaitable[Reply]:
        return (
            self.transport.send(request) if self._emit is None else self._observed(self._emit, request, tries)
        )

    async def _observed(self, emit: OnEvent, request: Request, tries: Tries) -> Reply:
        what = tries.call, request.method, request.route, tries.used
        host, port = self.transport.host, self.transport.port
        emit(RequestStarted(*what, host=host, port=port))
        started = time.monotonic()
        try:
            reply = await self.transport.send(request)
        except BaseException as error:  # a cancellation too
            seconds = time.monotonic() - started
            emit(RequestFailed(*what, type(error).__name__, seconds, host=host, port=port))
            raise
        seconds = time.monotonic() - started
        emit(RequestAnswered(*what, reply.status, seconds, host=host, port=port))
        return reply
