"""What follows a rejected call: the truth table of `next_step`, row by row."""

from __future__ import annotations

import pytest

from dify_async import DifyStatusError, Tokens
from dify_async._auth.credentials import Source, Step, TokenCredentials, next_step

NOW = 1000.0
EXPIRED, CSRF = "Token has expired.", "CSRF token is missing or invalid."


@pytest.mark.parametrize(
    ("is_known", "new", "accepted", "retried", "in_vain", "source", "step"),
    [
        (True, True, True, False, "", Source.LOGIN, Step.GIVE_UP),
        (True, False, True, False, "", Source.STORE, Step.GIVE_UP),
        (True, False, False, False, "", Source.STORE, Step.REFRESH),
        (False, False, False, False, "", Source.LOGIN, Step.REFRESH),
        (False, False, True, True, "csrf", Source.REFRESH, Step.REFRESH),
        (False, True, True, True, "", Source.STORE, Step.REFRESH),
        (False, True, True, False, "", Source.LOGIN, Step.REFRESH),
        (False, True, True, False, "csrf", Source.REFRESH, Step.REFRESH),
        (False, True, True, True, "", Source.LOGIN, Step.GIVE_UP),
        (False, True, False, False, "replaced", Source.LOGIN, Step.GIVE_UP),
        (False, True, False, False, "csrf", Source.LOGIN, Step.GIVE_UP),
        (False, True, False, False, "by code", Source.REFRESH, Step.GIVE_UP),
        (False, True, False, False, "by code", Source.LOGIN, Step.REFRESH),
        (False, True, False, False, "", Source.REFRESH, Step.LOG_IN),
        (True, True, False, True, "", Source.REFRESH, Step.LOG_IN),
        (False, True, False, True, "", Source.LOGIN, Step.REFRESH),
    ],
)
def test_next_step(
    *, is_known: bool, new: bool, accepted: bool, retried: bool, in_vain: str, source: Source, step: Step
) -> None:
    credentials = TokenCredentials(
        {},
        accepted=accepted,
        tokens=Tokens(access_token="a", refresh_token="r", by_code=in_vain == "by code"),
        source=source,
        new_until=NOW + 1 if new else NOW,
        replaces_rejected=in_vain == "replaced",
        rejected_by={"GET /apps": NOW + 1 if is_known else NOW},
    )
    message = CSRF if in_vain == "csrf" else EXPIRED
    error = DifyStatusError(message, status=401, code="unauthorized", message=message)
    assert next_step(credentials, lambda: error, "GET /apps", retried=retried, now=NOW) is step
    assert "***" in repr(credentials)
