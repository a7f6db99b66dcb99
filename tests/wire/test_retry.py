"""May this be sent again, and after how long."""

from __future__ import annotations

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
    CHANGE,
    IDEMPOTENT,
    SIGN_IN,
    SIGN_IN_AGAIN,
    Repeat,
    Tries,
)

UNSENT = DifyConnectionError("", sent=False)
LOST = DifyUnknownOutcomeError("lost")


def tries(repeat: Repeat, used: int = 1, **policy: float) -> Tries:
    budget = Tries(RetryPolicy(**policy), repeat)  # type: ignore[arg-type]  # attempts is an int in each use
    budget.used = used
    return budget


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_what_changes_nothing_is_repeated_after_failures(status: int) -> None:
    assert tries(IDEMPOTENT).wait_after_status(status, None) is not None
    assert tries(IDEMPOTENT).wait_after_error(UNSENT) is not None
    assert tries(IDEMPOTENT).wait_after_error(DifyTimeoutError()) is not None
    assert tries(IDEMPOTENT).wait_after_error(LOST) is not None  # a DELETE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 415, 422])
def test_a_verdict_is_not_asked_for_again(status: int) -> None:
    assert tries(IDEMPOTENT).wait_after_status(status, None) is None


def test_a_change_is_repeated_only_where_it_was_not_made() -> None:
    assert tries(CHANGE).wait_after_error(UNSENT) is not None
    assert tries(CHANGE).wait_after_error(LOST) is None
    assert tries(CHANGE).wait_after_status(429, None) is not None
    assert tries(CHANGE).wait_after_status(500, None) is None


def test_a_password_is_sent_once_until_it_was_accepted() -> None:
    assert tries(SIGN_IN).wait_after_error(UNSENT) is not None
    for repeat, again in ((SIGN_IN, False), (SIGN_IN_AGAIN, True)):
        assert (tries(repeat).wait_after_error(LOST) is not None) is again
        assert (tries(repeat).wait_after_status(503, None) is not None) is again
        assert tries(repeat).wait_after_status(429, None) is None  # locked


def test_the_budget_counts_the_first_attempt() -> None:
    assert tries(IDEMPOTENT, used=3, attempts=4).wait_after_error(UNSENT) is not None
    assert tries(IDEMPOTENT, used=4, attempts=4).wait_after_error(UNSENT) is None
    assert tries(IDEMPOTENT, used=1, attempts=1).wait_after_status(503, 0.0) is None


@given(st.integers(0, 20))
def test_waits_grow_up_to_their_cap(retries: int) -> None:
    budget = tries(IDEMPOTENT, used=0, attempts=100, base_delay=0.5, max_delay=8.0)
    waits = [budget.wait_after_error(UNSENT) for _ in range(retries + 1)]
    assert waits[-1] is not None
    assert 0 <= waits[-1] <= min(8.0, 0.5 * 2**retries)


def test_a_wait_that_the_server_asks_for_is_not_cut_short_and_not_shared() -> None:
    """hermes-agent#109234: 20 tasks that were told 3 s do not wake together."""
    waits = {tries(IDEMPOTENT).wait_after_status(429, 3.0) for _ in range(20)}
    assert all(wait is not None and 3.0 <= wait <= 3.5 for wait in waits)
    assert len(waits) == 20


def test_a_wait_beyond_the_cap_is_the_callers() -> None:
    assert tries(IDEMPOTENT, max_retry_after=60.0).wait_after_status(429, 60.0) is not None
    assert tries(IDEMPOTENT, max_retry_after=60.0).wait_after_status(429, 60.1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 1.5},
        {"base_delay": -1},
        {"max_delay": math.nan},
        {"max_retry_after": -1},
    ],
)
def test_a_policy_that_is_none(wrong: dict[str, float]) -> None:
    with pytest.raises(DifyConfigError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]  # wrong on purpose
