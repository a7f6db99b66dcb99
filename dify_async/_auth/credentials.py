"""The credentials of a session, and what to do when a route rejects them. No I/O."""

from __future__ import annotations

import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Self

from msgspec import field

from dify_async._api.caller import Credentials
from dify_async._http.wire import is_about_csrf

from . import rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_async.errors import DifyStatusError
    from dify_async.tokens import Tokens

# The part of their lifetime after which tokens are refreshed in the background.
_REFRESH_EARLY_AT: Final = 0.9
# How long tokens count as new. Their end is known to the second, and some live for a few seconds.
_MAX_NEW: Final = 60.0
_NEW_PART: Final = 0.5  # of their lifetime


class Source(Enum):
    """Where the tokens of a session are from."""

    STORE = auto()
    REFRESH = auto()
    LOGIN = auto()


class TokenCredentials(Credentials, kw_only=True, eq=False):
    """The credentials of a session. Times are by the monotonic clock.

    Attributes:
        source: Where the tokens are from.
        new_until: Until when they count as new: issued too recently to have expired.
        replaces_rejected: Whether they replace credentials that were rejected when new.
        rejected_by: The routes that rejected them when new, each with the time until which another rejection
            by that route causes no refresh.
    """

    tokens: Tokens
    source: Source
    new_until: float
    replaces_rejected: bool = False
    rejected_by: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, tokens: Tokens, source: Source, lifetime: float) -> Self:
        """Credentials from tokens that expire in `lifetime` seconds."""
        now = time.monotonic()
        return cls(
            rules.call_headers(tokens),
            refresh_at=now + _REFRESH_EARLY_AT * lifetime,
            tokens=tokens,
            source=source,
            new_until=now + min(_MAX_NEW, _NEW_PART * lifetime),
        )

    def is_new(self, now: float) -> bool:
        """Whether they were issued too recently to have expired; never true for those from the store."""
        return self.source is not Source.STORE and now < self.new_until


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
    if not credentials.is_new(now):
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
