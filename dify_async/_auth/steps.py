"""Decide what to do after a call was rejected. No I/O."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from dify_async._http.wire import is_about_csrf

from .credentials import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_async.errors import DifyStatusError

    from .credentials import TokenCredentials


class Step(Enum):
    """How to replace rejected credentials."""

    REFRESH = auto()
    LOG_IN = auto()
    GIVE_UP = auto()


def next_step(
    credentials: TokenCredentials,
    error: Callable[[], DifyStatusError],
    route: str,
    *,
    retried: bool,
    now: float,
) -> Step:
    """Decide how to replace credentials that a route rejected with a 401 about the token.

    The columns of the table:

    - route: whether this route has recently rejected these credentials while they were new
    - new: whether the credentials were issued too recently to have expired
    - accepted: whether any route has accepted the credentials
    - retried: whether this call was already rejected with other credentials
    - hopeless: whether new credentials would be rejected too, because these already replace credentials that
      were rejected when new, because the error is only about CSRF, or because these are from the refresh of a
      session that was started with an emailed code, so there is no password to log in with
    - source: where the credentials are from

    | route | new | accepted | retried | hopeless | source  | step    |
    |-------|-----|----------|---------|----------|---------|---------|
    | yes   |  -  | yes      |  -      |  -      | -       | GIVE_UP |
    | -     | no  |  -       |  -      |  -      | -       | REFRESH |
    | no    | yes | yes      | no      |  -      | -       | REFRESH |
    | no    | yes | yes      | yes     |  -      | -       | GIVE_UP |
    | -     | yes | no       |  -      | yes     | -       | GIVE_UP |
    | -     | yes | no       |  -      | no      | REFRESH | LOG_IN  |
    | -     | yes | no       |  -      | no      | other   | REFRESH |
    """
    if credentials.accepted and now < credentials.rejected_by.get(route, 0.0):
        return Step.GIVE_UP
    if not is_new(credentials, now):
        return Step.REFRESH
    if credentials.accepted:
        return Step.GIVE_UP if retried else Step.REFRESH
    was_refreshed = credentials.source is Source.REFRESH
    if (
        credentials.replaces_rejected
        or is_about_csrf(error())
        or (was_refreshed and credentials.tokens.by_code)
    ):
        return Step.GIVE_UP
    return Step.LOG_IN if was_refreshed else Step.REFRESH


def is_new(credentials: TokenCredentials, now: float) -> bool:
    """Whether credentials were issued too recently to have expired; never true for those from the store."""
    return credentials.source is not Source.STORE and now < credentials.new_until
