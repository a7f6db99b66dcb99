"""The number of concurrent requests.

An anyio.CapacityLimiter costs 6 to 8 µs per call, a tenth of the call, and its total does not adapt.
"""

from __future__ import annotations

import asyncio
from collections import deque


class AdaptiveLimiter:
    """At most `limit` concurrent requests, first come, first served; fewer if the server is overloaded.

    Additive increase, multiplicative decrease: a 429 or 503 halves the number of slots, and each round of
    successful responses adds one.
    """

    __slots__ = ("_allowed", "_limit", "_taken", "_until_next_cut", "_waiting")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = float(limit)
        self._taken = 0
        self._until_next_cut = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """The number of slots in use."""
        return self._taken

    @property
    def allowed(self) -> int:
        """The number of slots at present."""
        return int(self._allowed)

    def try_acquire(self) -> bool:
        """Take a slot if one is free and no one waits."""
        if self._waiting or self._taken + 1 > self._allowed:
            return False
        self._taken += 1
        return True

    async def acquire(self) -> None:
        """Take a slot, after all who wait."""
        if self.try_acquire():
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            # The slot may have been handed over just before the cancellation.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        """Free a slot."""
        self._taken -= 1
        if self._until_next_cut:
            self._until_next_cut -= 1
        while self._waiting and self._taken + 1 <= self._allowed:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._taken += 1
                waiter.set_result(None)

    def on_overload(self) -> None:
        """Halve the number of slots; call it before the slot is released.

        Requests that were under way at the last cut don't cut again.
        """
        if not self._until_next_cut:
            self._until_next_cut = self._taken
            self._allowed = max(1.0, self._allowed / 2)

    def on_success(self) -> None:
        """Add a part of a slot: about one slot per round of responses."""
        if self._allowed < self._limit:
            self._allowed = min(self._limit, self._allowed + 1 / self._allowed)

    def refuse_waiting(self, error: Exception) -> None:
        """Raise this in all tasks that wait for a slot."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)
