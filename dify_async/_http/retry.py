"""May this be sent again, and after how long? The only importer of backoff."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import backoff

from dify_async import _checks as checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_async.errors import DifyConnectionError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How a call is repeated after a failure that may pass.

    GET and DELETE are repeated after connection errors, timeouts, 429 and 5xx; other changes only
    where they surely were not sent, and after 429. A certificate that is not trusted is raised at once.

    Attributes:
        attempts: How often a request is sent at most, the first time counted; 1 never repeats.
        base_delay: The wait before the second attempt, in seconds: any time up to it, doubled
            for each further attempt.
        max_delay: The longest such wait, in seconds.
        max_retry_after: The longest wait that the server may ask for (Retry-After), in seconds;
            a longer one is raised at once, with `retry_after` on the error.
    """

    attempts: int = 4
    base_delay: float = 0.5
    max_delay: float = 30.0
    max_retry_after: float = 60.0

    def __post_init__(self) -> None:
        checks.integer("attempts", self.attempts)
        for name in ("base_delay", "max_delay", "max_retry_after"):
            checks.number(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Repeat:
    """After which failures a request may be sent again, beside those where it surely was not sent."""

    lost: bool
    statuses: frozenset[int]


_FAILURES: Final = frozenset(range(500, 600))
IDEMPOTENT: Final = Repeat(lost=True, statuses=_FAILURES | {429})
CHANGE: Final = Repeat(lost=False, statuses=frozenset({429}))
# A 429 to a login is the lock after wrong passwords. The login guard decides about
# further attempts; here a login is only retried if it surely was not sent.
SIGN_IN: Final = Repeat(lost=False, statuses=frozenset())
NEVER_AGAIN: Final = RetryPolicy(attempts=1)


_numbers: Final = itertools.count(1)


class Tries:
    """The attempts of one call: one budget, whatever fails.

    Attempts that were `refused` for their token are none of it: another one may follow each.
    """

    __slots__ = ("_delays", "call", "may_have_done_it", "policy", "refused", "repeat", "used")

    def __init__(self, policy: RetryPolicy, repeat: Repeat) -> None:
        self.call = next(_numbers)
        self.policy = policy
        self.repeat = repeat
        self.used = 0
        self.refused = 0
        self.may_have_done_it = False  # whether an attempt failed in a way that says nothing of the server
        self._delays: Iterator[float] | None = None

    def wait_after_error(self, error: DifyConnectionError) -> float | None:
        """Seconds to wait before the next attempt; None where there is none."""
        self.may_have_done_it |= error.sent
        return self._next(None) if error.may_pass and (self.repeat.lost or not error.sent) else None

    def wait_after_status(self, status: int, retry_after: float | None) -> float | None:
        """As above, for an answer."""
        self.may_have_done_it |= status >= 500
        return self._next(retry_after) if status in self.repeat.statuses else None

    def _next(self, retry_after: float | None) -> float | None:
        if self.used - self.refused >= self.policy.attempts:
            return None
        if self._delays is None:
            self._delays = jittered_delays(self.policy.base_delay, self.policy.max_delay)
        jitter = next(self._delays)
        if retry_after is None:
            return jitter
        # Jitter on top, so that those who were told the same do not come back together.
        return retry_after + jitter if retry_after <= self.policy.max_retry_after else None


def jittered_delays(base: float, longest: float) -> Iterator[float]:
    """Waits without end: any time up to `base`, doubled each time, up to `longest`."""
    delays = backoff.expo(factor=base, max_value=longest)
    next(delays)  # primes it
    return map(backoff.full_jitter, delays)
