"""The right to call, as the pipeline needs it."""

from __future__ import annotations

import math
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from . import rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async.errors import DifyStatusError
    from dify_async.tokens import Tokens

# A token is renewed ahead once this part of its time is over.
_RENEW_AHEAD_AT: Final = 0.9
# So long a token counts as new: its end is known by the second, and some live for a few seconds.
_NEW_FOR: Final = 60.0
_NEW_PART: Final = 0.5  # of its time
# So long a route that refuses what others accept is not asked whether a renewal would help.
_REFUSED_FOR: Final = 60.0


class Source(Enum):
    """Where a grant by tokens comes from."""

    STORE = auto()
    RENEWAL = auto()
    SIGN_IN = auto()


class Grant:
    """The right to call."""

    __slots__ = ("accepted", "headers", "headers_with_body", "refresh_at")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.headers_with_body = {**headers, "Content-Type": "application/json"}
        self.accepted = False
        self.refresh_at = math.inf


class TokenGrant(Grant):
    """A grant by tokens. Compared by identity: two issued in one second may be the same text."""

    __slots__ = ("_new_until", "_refused_by", "in_vain", "source", "tokens")

    def __init__(self, tokens: Tokens, source: Source, lifetime: float) -> None:
        super().__init__(rules.call_headers(tokens))
        self.tokens = tokens
        self.source = source
        self.in_vain = False  # whether it came in the place of one that was refused at birth
        self._refused_by: dict[str, float] = {}  # routes, and until when that is believed
        now = time.monotonic()
        self.refresh_at = now + _RENEW_AHEAD_AT * lifetime
        self._new_until = now + min(_NEW_FOR, _NEW_PART * lifetime)

    @property
    def is_new(self) -> bool:
        """Whether the server has just issued it, so that it cannot have ended yet."""
        return self.source is not Source.STORE and time.monotonic() < self._new_until

    @property
    def is_refused_at_birth(self) -> bool:
        """Whether the server, where it refuses it, refuses what it has just issued."""
        return self.is_new and not self.accepted

    def mark_refused_by(self, route: str) -> None:
        """Note that a route refuses it, though the server has just issued it."""
        self._refused_by[route] = time.monotonic() + _REFUSED_FOR

    def is_always_refused_by(self, route: str) -> bool:
        """Whether the fault is the route's: it refused a new token, and others accept this one."""
        return self.accepted and time.monotonic() < self._refused_by.get(route, 0.0)


ANONYMOUS: Final = Grant({})


class Auth(Protocol):
    """What the pipeline needs of a way to sign in."""

    @property
    def credentials(self) -> Grant | None:
        """The present grant; None where one has to be obtained."""
        ...

    async def ensure(self) -> None:
        """See to a grant where there is none."""
        ...

    async def replace(self, refused: Grant, error: DifyStatusError, route: str, *, retried: bool) -> None:
        """See to another grant than the one that this route refused; raises where none helps.

        `retried` tells that the same call was refused before, with another grant.
        """
        ...

    def refresh_early(self, grant: Grant) -> None:
        """Start a renewal that nobody waits for."""
        ...

    async def login(self) -> None:
        """Sign in now."""
        ...

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Sign in by a code from a mail."""
        ...

    async def logout(self) -> None:
        """End the session."""
        ...

    async def close(self) -> None:
        """Leave nothing running."""
        ...
