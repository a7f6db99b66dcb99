"""The address of a fake server, and clients for it whose "today" is that of the server."""

from datetime import datetime
from typing import Unpack

from dify_async.client import AsyncDifyServer
from dify_async.client.options import Options, SyncOptions
from dify_async.sync import DifyServer
from dify_async.testing._console.listener import Listener
from dify_async.testing._console.state import State
from dify_async.tokens import MemoryTokenStore


class Clients:
    """The methods of `FakeDifyServer` that create clients."""

    _state: State
    _listener: Listener

    @property
    def base_url(self) -> str:
        """The URL of the server, including the base path; available inside `with` or `async with`."""
        if not self._listener.base_url:
            raise RuntimeError("The fake server has no URL before `with` or `async with`.")
        return self._listener.base_url

    def client(self, **options: Unpack[Options]) -> AsyncDifyServer:
        """A client of this server, for the owner's account.

        For this client it is always noon of the server's `today`, so that `dashboard(days=3)` and the like
        end on that day. `options` are arguments of `AsyncDifyServer`; tokens are stored in memory by default.
        """
        given: Options = {**self._defaults(options), **options}
        return _PinnedAsyncClient(self._state.now, **given)

    def sync_client(self, **options: Unpack[SyncOptions]) -> DifyServer:
        """A synchronous client of this server, for the owner's account.

        The server must have been entered by `with`, or in another thread. For this client it is always noon
        of the server's `today`. `options` are arguments of `DifyServer`; tokens are stored in memory by
        default.
        """
        given: SyncOptions = {**self._defaults(options), **options}
        return _PinnedClient(self._state.now, **given)

    def _defaults(self, options: SyncOptions) -> SyncOptions:
        defaults: SyncOptions = {"base_url": self.base_url, "token_store": MemoryTokenStore()}
        if "admin_api_key" not in options:
            defaults |= {"email": self._state.owner.email, "password": self._state.owner.password}
        return defaults


class _PinnedAsyncClient(AsyncDifyServer):
    """A client for which it is always the same time."""

    def __init__(self, now: datetime, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self._pinned_now = now

    def _now(self) -> datetime:
        return self._pinned_now


class _PinnedClient(DifyServer):
    """A synchronous client for which it is always the same time."""

    def __init__(self, now: datetime, **options: Unpack[SyncOptions]) -> None:
        super().__init__(**options)
        self._dify = _PinnedAsyncClient(now, **options)
