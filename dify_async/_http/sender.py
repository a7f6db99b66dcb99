"""One request with its retries: each attempt takes a slot of the limiter."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

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
    from collections.abc import Callable

    from dify_async.events import OnEvent

    from .limiter import AdaptiveLimiter
    from .retry import Attempts
    from .transport import Transport
    from .wire import Reply, Request

logger = logging.getLogger("dify_async")

_OVERLOADED: Final = frozenset({429, 503})


class Sender:
    """Sends requests, and retries them."""

    def __init__(self, transport: Transport, emit: OnEvent | None) -> None:
        self.transport = transport
        # The last X-Version: every response of Dify has it, and servers are upgraded while clients run.
        self.version: str = ""
        self._version_changes = 0
        self._emit = emit

    async def __call__(
        self,
        prepare: Callable[[], Request],
        attempts: Attempts,
        limiter: AdaptiveLimiter | None = None,
    ) -> Reply:
        """Send a request, and retry it; return the last response, of any status, or raise the last error.

        Each attempt is prepared once it has its slot, so that it has the latest credentials, however long it
        waited. Logins and refreshes take no slot, so that `max_concurrency=1` works.
        """
        while True:
            request, outcome = await self._attempt(prepare, attempts, limiter)
            wait = self._wait_before_retry(request, outcome, attempts)
            if wait is None:
                if isinstance(outcome, DifyConnectionError):
                    try:
                        raise outcome
                    finally:
                        del outcome  # its traceback has this frame: they would keep each other
                return outcome
            if self._emit is not None:
                what = attempts.call, request.method, request.route, attempts.made + 1
                self._emit(RequestRetried(*what, wait, host=self.transport.host, port=self.transport.port))
            await anyio.sleep(wait)

    async def _attempt(
        self, prepare: Callable[[], Request], attempts: Attempts, limiter: AdaptiveLimiter | None
    ) -> tuple[Request, Reply | DifyConnectionError]:
        if limiter is not None and not limiter.try_acquire():
            await limiter.acquire()
        try:
            request = prepare()
            try:
                reply = await self._send(request, attempts)
            except DifyConnectionError as error:
                return request, error
            if limiter is not None:
                adapt = limiter.on_overload if reply.status in _OVERLOADED else limiter.on_success
                adapt()
            return request, reply
        finally:
            if limiter is not None:
                limiter.release()

    def _wait_before_retry(
        self, request: Request, outcome: Reply | DifyConnectionError, attempts: Attempts
    ) -> float | None:
        """Seconds to wait before the next attempt; None to give up, or if the request succeeded."""
        if isinstance(outcome, DifyConnectionError):
            wait = attempts.wait_after_error(outcome)
            failure = str(outcome)
        elif outcome.status < 400:
            return None
        else:
            wait = attempts.wait_after_status(outcome.status, retry_after(outcome.headers))
            failure = f"{request.method} {self.transport.path_of(request.url)}: {outcome.status}"
        if wait is not None:
            logger.info("%s; retrying in %.2f s", failure, wait)
        return wait

    async def _send(self, request: Request, attempts: Attempts) -> Reply:
        attempts.made += 1
        changes = self._version_changes
        if self._emit is None:
            reply = await self.transport.send(request, attempts.safety)
        else:
            reply = await self._send_observed(self._emit, request, attempts)
        # A response without a version may be from a proxy. Responses to requests from before the last change
        # of the version are ignored, since they may be from the old server.
        if reply.headers.get("X-Version") != self.version and changes == self._version_changes:
            version = reply.version  # looks at the body too
            if version and self.version:
                logger.info("the server's version changed from %s to %s", self.version, version)
                self._version_changes += 1
            self.version = version or self.version
        return reply

    async def _send_observed(self, emit: OnEvent, request: Request, attempts: Attempts) -> Reply:
        what = attempts.call, request.method, request.route, attempts.made
        host, port = self.transport.host, self.transport.port
        emit(RequestStarted(*what, host=host, port=port))
        started = time.monotonic()
        try:
            reply = await self.transport.send(request, attempts.safety)
        except BaseException as error:  # a cancellation too
            seconds = time.monotonic() - started
            emit(RequestFailed(*what, type(error).__name__, seconds, host=host, port=port))
            raise
        seconds = time.monotonic() - started
        emit(RequestAnswered(*what, reply.status, seconds, host=host, port=port))
        return reply
