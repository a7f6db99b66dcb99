"""The arguments of the clients as TypedDicts, for `from_env`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Mapping

    import aiohttp

    from dify_async._http.retry import RetryPolicy
    from dify_async._ids import Id
    from dify_async.events import OnEvent
    from dify_async.tokens import TokenStore


class SyncOptions(TypedDict, total=False):
    """The arguments of `DifyServer`."""

    base_url: str
    email: str | None
    password: str | None
    admin_api_key: str | None
    workspace_id: Id | None
    token_store: TokenStore | None
    server_version: str | None
    timeout: float
    max_concurrency: int
    retry: RetryPolicy
    max_response_bytes: int
    ssl: bool | ssl_module.SSLContext
    proxy: str | None
    headers: Mapping[str, str] | None
    on_event: OnEvent | None


class Options(SyncOptions, total=False):
    """The arguments of `AsyncDifyServer`. A session belongs to one event loop."""

    session: aiohttp.ClientSession | None
