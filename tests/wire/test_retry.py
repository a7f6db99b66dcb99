"""Whether a request is retried, and after how long."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import (
    DifyConfigError,
    DifyConnectionError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
    RetryPolicy,
)
from dify_async._http.retry import (
    IDEMPOTENT,
    LOGIN,
    SAFE,
    SEND_ONCE,
    UNSAFE,
    Attempts,
    Safety,
    jittered_delays,
)

UNSENT = DifyConnectionError("", sent=False)
LOST = DifyUnknownOutcomeError("lost")


def attempts(safety: Safety, made: int = 1, **policy: float) -> Attempts:
    found = Attempts(RetryPolicy(**policy), safety)  # type: ignore[arg-type]  # attempts is an int in each use
    found.made = made
    return found


@pytest.mark.parametrize("safety", [SAFE, IDEMPOTENT])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_safe_and_idempotent_requests_are_retried_after_failures(status: int, safety: Safety) -> None:
    assert attempts(safety).wait_after_status(status, None) is not None
    assert attempts(safety).wait_after_error(UNSENT) is not None
    assert attempts(safety).wait_after_error(DifyTimeoutError()) is not None
    assert attempts(safety).wait_after_error(LOST) is not None  # of a DELETE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 415, 422])
def test_client_errors_are_not_retried(status: int) -> None:
    assert attempts(SAFE).wait_after_status(status, None) is None


def test_unsafe_requests_are_retried_only_if_nothing_was_changed() -> None:
    assert attempts(UNSAFE).wait_after_error(UNSENT) is not None
    assert attempts(UNSAFE).wait_after_error(LOST) is None
    assert attempts(UNSAFE).wait_after_status(429, None) is not None
    assert attempts(UNSAFE).wait_after_status(500, None) is None


def test_requests_with_a_limit_per_account_are_retried_only_if_they_were_not_sent() -> None:
    assert attempts(SEND_ONCE).wait_after_error(UNSENT) is not None
    assert attempts(SEND_ONCE).wait_after_error(LOST) is None
    assert attempts(SEND_ONCE).wait_after_status(429, 0.0) is None
    assert attempts(SEND_ONCE).wait_after_status(503, None) is None


def test_only_requests_that_change_something_have_an_unknown_outcome() -> None:
    assert [one.changes for one in (SAFE, IDEMPOTENT, UNSAFE, SEND_ONCE)] == [False, True, True, True]


def test_a_login_is_retried_here_only_if_it_was_not_sent() -> None:
    """A 429 is the lock; the login guard decides about everything else."""
    assert attempts(LOGIN).wait_after_error(UNSENT) is not None
    assert attempts(LOGIN).wait_after_error(LOST) is None
    for status in (429, 500, 503):
        assert attempts(LOGIN).wait_after_status(status, None) is None


def test_the_first_attempt_counts() -> None:
    assert attempts(SAFE, made=3, attempts=4).wait_after_error(UNSENT) is not None
    assert attempts(SAFE, made=4, attempts=4).wait_after_error(UNSENT) is None
    assert attempts(SAFE, made=1, attempts=1).wait_after_status(503, 0.0) is None


def test_attempts_with_rejected_credentials_do_not_count() -> None:
    call = attempts(SAFE, made=4, attempts=4)
    call.rejected = 1
    assert call.wait_after_error(UNSENT) is not None


@given(st.integers(0, 20))
def test_waits_grow_up_to_max_delay(retries: int) -> None:
    call = attempts(SAFE, made=0, attempts=100, base_delay=0.5, max_delay=8.0)
    waits = [call.wait_after_error(UNSENT) for _ in range(retries + 1)]
    assert waits[-1] is not None
    assert 0 <= waits[-1] <= min(8.0, 0.5 * 2**retries)


def test_retry_after_is_never_shortened_and_has_jitter() -> None:
    """hermes-agent#109234: 20 tasks with the same Retry-After of 3 s don't wake together."""
    waits = {attempts(SAFE).wait_after_status(429, 3.0) for _ in range(20)}
    assert all(wait is not None and 3.0 <= wait <= 3.5 for wait in waits)
    assert len(waits) == 20


def test_a_retry_after_above_the_maximum_is_not_waited_for() -> None:
    assert attempts(SAFE, max_retry_after=60.0).wait_after_status(429, 60.0) is not None
    assert attempts(SAFE, max_retry_after=60.0).wait_after_status(429, 60.1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 1.5},
        {"attempts": True},
        {"base_delay": -1},
        {"base_delay": True},
        {"max_delay": math.nan},
        {"max_delay": math.inf},
        {"max_retry_after": -1},
        {"max_retry_after": "5"},
    ],
)
def test_invalid_policies(wrong: dict[str, float]) -> None:
    name = next(iter(wrong))
    with pytest.raises(DifyConfigError, match=f"RetryPolicy.{name} must be "):
        RetryPolicy(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("base", [0.0, 2.5])
def test_delays_never_end(base: float) -> None:
    """A store that stays down for a day is asked again thousands of times."""
    delays = list(itertools.islice(jittered_delays(base, 60.0), 3000))
    assert max(delays) <= 60.0
    assert (max(delays) > 0) == (base > 0)
