"""How many requests are under way at once.

An anyio.CapacityLimiter costs 6 to 8 µs a call, a tenth of the call, and cannot follow the server.
"""

from __future__ import annotations

import asyncio
from collections import deque


class AdaptiveLimiter:
    """At most `limit` at once, first come, first served; fewer while the server asks for less.

    A 429 or 503 halves the number, each success brings a part of a slot back: additive increase,
    multiplicative decrease.
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
        """Requests under way."""
        return self._taken

    @property
    def allowed(self) -> int:
        """How many may be under way at present."""
        return max(1, int(self._allowed))

    def take(self) -> bool:
        """Take a free slot; False where the caller has to `wait` for one."""
        if self._waiting or self._taken >= self.allowed:
            return False
        self._taken += 1
        return True

    async def wait(self) -> None:
        """Take the next slot that comes free."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The slot may have been handed over in the very moment of the cancellation.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give_back()
            raise

    def give_back(self) -> None:
        """Free a slot."""
        self._taken -= 1
        if self._until_next_cut:
            self._until_next_cut -= 1
        self._hand_on()

    def slow_down(self) -> None:
        """The server is overrun. To be called before the slot is given back.

        Requests that were under way at the last cut do not cut again.
        """
        if not self._until_next_cut:
            self._until_next_cut = self._taken
            self._allowed = max(1.0, self._allowed / 2)

    def speed_up(self) -> None:
        """The server answered: about one slot more for each round of answers."""
        if self._allowed < self._limit:
            self._allowed = min(self._limit, self._allowed + 1 / self._allowed)

    def refuse_waiting(self, error: Exception) -> None:
        """Raise this in all who wait."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(error)

    def _hand_on(self) -> None:
        while self._waiting and self._taken < self.allowed:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
