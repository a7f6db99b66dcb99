"""The arguments of `AsyncDifyServer` as a TypedDict, for `from_env`."""

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


class Options(TypedDict, total=False):
    """The arguments of `AsyncDifyServer`."""

    base_url: str
    email: str | None
    password: str | None
    admin_api_key: str | None
    workspace_id: Id | None
    token_store: TokenStore | None
    session: aiohttp.ClientSession | None
    server_version: str | None
    timeout: float
    max_concurrency: int
    retry: RetryPolicy
    max_response_bytes: int
    ssl: bool | ssl_module.SSLContext
    proxy: str | None
    headers: Mapping[str, str] | None
    on_event: OnEvent | None
