"""Tokens and where they are kept."""

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
    """What one sign-in or renewal gave; its repr hides the tokens.

    Attributes:
        access_token: Goes with every call; good for an hour by default.
        refresh_token: Good for one renewal, for 30 days by default.
        csrf_token: Dify 1.9.2 and newer; None before.
        expires_at: When the access token ends, in unix seconds of the server's clock; None if unknown.
        cookie_names: The names under which the tokens came as cookies; None before Dify 1.9.2.
        by_code: Whether the session began with a mailed code, so that the password may be none.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token", "csrf_token"})

    access_token: str
    refresh_token: str
    csrf_token: str | None = None
    expires_at: int | None = None
    cookie_names: dict[str, str] | None = None
    by_code: bool = False


class TokenStore(Protocol):
    """Keeps tokens for one or many clients. `key` names one account on one server, without a secret.

    Whatever a store raises, the client goes on with its tokens in memory.
    """

    async def load(self, key: str) -> Tokens | None:
        """The tokens last saved, or None."""
        ...

    async def save(self, key: str, tokens: Tokens) -> None:
        """Keep these tokens instead of those that were loaded."""
        ...

    async def clear(self, key: str) -> None:
        """Forget the tokens; fine where there are none."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held while tokens are renewed; across processes where the store can."""
        ...


class MemoryTokenStore(Uncopyable):
    """Keeps tokens in a dict: for one process, shared by the clients that it is passed to."""

    _instead = "to share tokens between processes, create a RedisTokenStore in each"

    def __init__(self) -> None:
        self._tokens: dict[str, Tokens] = {}
        # An asyncio.Lock belongs to one event loop; the store may outlive it.
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]
        self._locks = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"MemoryTokenStore({len(getattr(self, '_tokens', ()))} kept)"

    async def load(self, key: str) -> Tokens | None:
        """The tokens last saved, or None."""
        return self._tokens.get(key)

    async def save(self, key: str, tokens: Tokens) -> None:
        """Keep these tokens."""
        self._tokens[key] = tokens

    async def clear(self, key: str) -> None:
        """Forget the tokens."""
        self._tokens.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held while tokens are renewed."""
        locks = self._locks.setdefault(asyncio.get_running_loop(), {})
        async with locks.setdefault(key, asyncio.Lock()):
            yield
