"""Tokens and token stores."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Protocol
from weakref import WeakKeyDictionary

from ._uncopyable import Uncopyable
from .models._base import Masked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class Tokens(Masked, frozen=True, kw_only=True):
    """The tokens of a session; the repr hides them.

    Attributes:
        access_token: Authenticates each call; valid for an hour by default.
        refresh_token: Refreshes the session once; valid for 30 days by default.
        csrf_token: From Dify 1.9.2; None for older servers.
        expires_at: When the access token expires, in Unix seconds of the server's clock; None if unknown.
        cookie_names: The names of the cookies that contained the tokens; None before Dify 1.9.2.
        by_code: Whether the session was started with an emailed code instead of the password.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token", "csrf_token"})

    access_token: str
    refresh_token: str
    csrf_token: str | None = None
    expires_at: int | None = None
    cookie_names: dict[str, str] | None = None
    by_code: bool = False


class TokenStore(Protocol):
    """Where one or more clients keep tokens. `key` identifies an account on a server, without secrets.

    If a store raises an error, the client continues with the tokens in memory.
    """

    async def load(self, key: str) -> Tokens | None:
        """The tokens last saved, or None."""
        ...

    async def save(self, key: str, tokens: Tokens) -> None:
        """Save the tokens, replacing those that were loaded."""
        ...

    async def clear(self, key: str) -> None:
        """Delete the tokens, if there are any."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """A lock, held while tokens are refreshed; shared between processes if the store supports it."""
        ...


class MemoryTokenStore(Uncopyable):
    """Keeps tokens in memory, shared by the clients of one process that it is passed to."""

    _instead = "to share tokens between processes, create a RedisTokenStore in each"

    def __init__(self) -> None:
        self._tokens: dict[str, Tokens] = {}
        # An asyncio.Lock belongs to one event loop, which the store may outlive.
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]
        self._locks = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"MemoryTokenStore({len(getattr(self, '_tokens', ()))} sessions)"

    async def load(self, key: str) -> Tokens | None:
        """The tokens last saved, or None."""
        return self._tokens.get(key)

    async def save(self, key: str, tokens: Tokens) -> None:
        """Save the tokens."""
        self._tokens[key] = tokens

    async def clear(self, key: str) -> None:
        """Delete the tokens."""
        self._tokens.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """A lock for this event loop, held while tokens are refreshed."""
        locks = self._locks.setdefault(asyncio.get_running_loop(), {})
        async with locks.setdefault(key, asyncio.Lock()):
            yield
