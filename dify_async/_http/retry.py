"""Decide whether and when a request is retried. The only module that imports backoff."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dify_async import _checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_async.errors import DifyConnectionError


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """When and how often failed calls are retried.

    GET and DELETE are retried after connection errors, timeouts, 429 and 5xx; other methods only after 429,
    or if the request was not sent. Errors that a retry cannot fix, such as an untrusted certificate, are
    raised immediately.

    Attributes:
        attempts: The maximum number of attempts per call, including the first; 1 disables retries.
        base_delay: The maximum delay before the second attempt, in seconds. It doubles with each further
            attempt; the actual delay is random.
        max_delay: The upper limit of these delays, in seconds.
        max_retry_after: The longest Retry-After to wait for, in seconds. If the server asks for a longer
            wait, the error is raised immediately, with its `retry_after` set.
    """

    attempts: int = 4
    base_delay: float = 0.5
    max_delay: float = 30.0
    max_retry_after: float = 60.0

    def __post_init__(self) -> None:
        _checks.integer("RetryPolicy.attempts", self.attempts)
        for name in ("base_delay", "max_delay", "max_retry_after"):
            _checks.number(f"RetryPolicy.{name}", getattr(self, name))


class Safety(Struct, frozen=True):
    """Whether it is safe to retry a request (RFC 9110, 9.2). Requests that were not sent are always retried.

    Attributes:
        changes: Whether the request may change something, so that its outcome is unknown if the response
            is lost.
        retry_lost: Whether to retry the request if the response is lost.
        retry_statuses: The statuses after which to retry the request.
    """

    changes: bool
    retry_lost: bool
    retry_statuses: frozenset[int]


_SERVER_ERRORS: Final = frozenset(range(500, 600))
SAFE: Final = Safety(changes=False, retry_lost=True, retry_statuses=_SERVER_ERRORS | {429})
IDEMPOTENT: Final = Safety(changes=True, retry_lost=True, retry_statuses=_SERVER_ERRORS | {429})
UNSAFE: Final = Safety(changes=True, retry_lost=False, retry_statuses=frozenset({429}))
# For routes on which a 429 is a limit per account, such as the lock after wrong passwords: a retry would not
# help.
SEND_ONCE: Final = Safety(changes=True, retry_lost=False, retry_statuses=frozenset())
# A 429 after a login is the lock after wrong passwords. The login guard decides whether a password is sent
# again, so a login is retried here only if it was not sent.
LOGIN: Final = Safety(changes=False, retry_lost=False, retry_statuses=frozenset())
NO_RETRIES: Final = RetryPolicy(attempts=1)


_call_numbers: Final = itertools.count(1)


class Attempts:
    """The attempts of one call, and how many are left.

    Attributes:
        call: The number of the call, for events.
        made: How many attempts were made.
        rejected: How many attempts were rejected because of their credentials. They do not count towards
            the policy's maximum, because the call is retried with other credentials.
        may_have_taken_effect: Whether a failed attempt may have changed something on the server.
    """

    __slots__ = ("_delays", "call", "made", "may_have_taken_effect", "policy", "rejected", "safety")

    def __init__(self, policy: RetryPolicy, safety: Safety) -> None:
        self.call: int = next(_call_numbers)
        self.policy: RetryPolicy = policy
        self.safety: Safety = safety
        self.made: int = 0
        self.rejected: int = 0
        self.may_have_taken_effect: bool = False
        self._delays: Iterator[float] | None = None

    def wait_after_error(self, error: DifyConnectionError) -> float | None:
        """Seconds to wait before the next attempt, after a connection error; None to give up."""
        self.may_have_taken_effect |= error.sent
        return (
            self._next_wait(None) if error.may_pass and (self.safety.retry_lost or not error.sent) else None
        )

    def wait_after_status(self, status: int, retry_after: float | None) -> float | None:
        """Seconds to wait before the next attempt, after an error status; None to give up."""
        self.may_have_taken_effect |= status >= 500
        return self._next_wait(retry_after) if status in self.safety.retry_statuses else None

    def _next_wait(self, retry_after: float | None) -> float | None:
        if self.made - self.rejected >= self.policy.attempts:
            return None
        if self._delays is None:
            self._delays = jittered_delays(self.policy.base_delay, self.policy.max_delay)
        jitter = next(self._delays)
        if retry_after is None:
            return jitter
        # Jitter is added so that tasks with the same Retry-After don't retry at the same moment.
        return retry_after + jitter if retry_after <= self.policy.max_retry_after else None


def import_what_failures_need() -> None:
    """Import modules that only retries and errors use: it is too late once no more files can be opened."""
    import html  # noqa: F401, PLC0415 - for secrets in errors

    import backoff  # noqa: F401, PLC0415


def jittered_delays(base: float, longest: float) -> Iterator[float]:
    """An endless series of random delays. Their upper bound starts at `base`, and doubles up to `longest`."""
    import backoff  # noqa: PLC0415 - see above

    if not base:  # backoff would double 0 until the number of doublings is too large for a float
        return itertools.repeat(0.0)
    delays = backoff.expo(factor=base, max_value=longest)
    next(delays)  # backoff's generators yield None first
    return map(backoff.full_jitter, delays)
