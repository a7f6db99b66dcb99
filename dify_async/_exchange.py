"""One request until its answer: a slot for each attempt, and a wait between two."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from ._wire import retry_after
from .errors import DifyConnectionError

if TYPE_CHECKING:
    from ._retry import Tries
    from ._slots import Slots
    from ._transport import Request, Transport
    from ._wire import Reply

logger = logging.getLogger("dify_async")


class Exchange:
    """Sends a request as often as its budget allows."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def __call__(self, request: Request, tries: Tries, slots: Slots | None = None) -> Reply:
        """The last answer, whatever its status; or the last failure raised.

        Sign-in and renewal take no slot, so that `max_concurrency=1` works.
        """
        while True:
            tries.used += 1
            try:
                if slots is None:
                    reply = await self.transport.send(request)
                else:
                    reply = await self._in_a_slot(slots, request)
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
            await anyio.sleep(wait)

    async def _in_a_slot(self, slots: Slots, request: Request) -> Reply:
        if not slots.take():
            await slots.wait()
        try:
            reply = await self.transport.send(request)
            if reply.status in {429, 503}:
                slots.slow_down()
            else:
                slots.speed_up()
            return reply
        finally:
            slots.give_back()
