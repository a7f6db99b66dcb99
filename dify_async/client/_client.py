"""The client class, `AsyncDifyServer`: construction, opening and closing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Self, Unpack

import anyio

from dify_async import _checks
from dify_async._api.caller import Caller
from dify_async._api.probe import ServerProbe
from dify_async._api.versions import checked_version
from dify_async._auth.fallback_store import FallbackStore
from dify_async._auth.session import Session
from dify_async._concurrency import complete
from dify_async._http.extras import Extras
from dify_async._http.headers import RESERVED_WITH_ADMIN_KEY, checked_headers
from dify_async._http.limiter import AdaptiveLimiter
from dify_async._http.retry import RetryPolicy, import_what_failures_need
from dify_async._http.sender import Sender
from dify_async._http.transport import Transport
from dify_async._http.urls import checked_proxy, normal_base_url
from dify_async._secrets import masked
from dify_async.errors import DifyError
from dify_async.events import emitter

from ._credentials import AdminKeyCredentials, checked_credentials
from .account import AccountCalls
from .app_changes import AppChangeCalls
from .apps import AppCalls
from .conversations import ConversationCalls
from .dashboard import DashboardCalls
from .definitions import DefinitionCalls
from .environment import EnvironmentStore
from .keys import KeyCalls
from .knowledge import KnowledgeCalls
from .many_statistics import ManyStatisticCalls
from .messages import MessageCalls
from .raw import RawCalls
from .statistics import StatisticCalls
from .usage import UsageCalls
from .workflows import WorkflowCalls
from .workspace import WorkspaceCalls

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp

    from dify_async._api.caller import Auth
    from dify_async._ids import Id
    from dify_async.events import OnEvent
    from dify_async.tokens import TokenStore

    from .options import Options

_STORE_METHODS: Final = ("load", "save", "clear", "lock")


class AsyncDifyServer(
    KeyCalls,
    ConversationCalls,
    MessageCalls,
    UsageCalls,
    DashboardCalls,
    AppCalls,
    ManyStatisticCalls,
    StatisticCalls,
    AppChangeCalls,
    DefinitionCalls,
    WorkflowCalls,
    KnowledgeCalls,
    WorkspaceCalls,
    AccountCalls,
    RawCalls,
):
    """A client of Dify's console API, for one account or one admin API key.

    Use it as an async context manager, or call `open()` and `aclose()`. The first call logs in. One client
    can serve any number of concurrent tasks in one event loop. A closed client can be opened again, even in
    another event loop.

    Args:
        base_url: The server's URL, such as "https://dify.example.com", with or without a path.
        email: The account's email address. Requires `password`.
        password: The account's password.
        admin_api_key: The server's ADMIN_API_KEY, instead of an account. Requires `workspace_id`. Dify 1.9.2
            to 1.10.1 do not support admin API keys.
        workspace_id: The workspace to access with the admin API key. Calls act as the workspace's owner.
        token_store: Where tokens are stored: by default, in Redis if the environment variable DIFY_REDIS_URL
            or REDIS_URL is set when the client is created, otherwise in memory.
        session: An aiohttp session to use. Its connector, headers, proxy, trust_env, trace_configs and
            middlewares apply, and the connector's `ssl` replaces this client's. With trust_env, so do the
            proxy settings of the environment. The session is not closed, its cookies are neither sent nor
            changed, and its timeout does not apply. If a setting cannot apply, entering the client raises a
            DifyConfigError.
        server_version: Dify's version, such as "1.11.2", if a proxy hides it. By default, the version is
            read from the server before the first login, and then from every response. If the version is
            unknown, the client assumes the latest one.
        timeout: Seconds per attempt, not including the wait for a slot of `max_concurrency`.
        max_concurrency: The maximum number of concurrent requests of this client. By default, a Dify
            worker accepts 10 connections, which the client shares with console users.
        retry: When and how failed requests are retried.
        max_response_bytes: The maximum size of a response, after decompression.
        ssl: An ssl.SSLContext, for example `ssl.create_default_context(cafile="ca.pem")` for a server with
            a private certificate authority. False disables verification, which is unsafe: anyone on the
            network can then read the password.
        proxy: The URL of an HTTP proxy. Proxy settings in the environment are ignored.
        headers: Headers to send with every request to the server, such as those that a login page or gateway
            in front of Dify requires. Their values are never shown. The client sets Cookie, X-CSRF-Token,
            Content-Type and, with an admin API key or up to Dify 1.9.1, Authorization itself.
        on_event: A function (not async) that is called with each event of `dify_async.events`, for
            metrics and tracing.

    Raises:
        DifyConfigError: An argument is invalid. Also raised on entering the client, if DIFY_REDIS_URL is
            not a valid Redis URL; and on logging in to Dify up to 1.9.1, if there is an Authorization header.
    """

    _base_url: str = ""  # for the repr if __init__ raised an error

    def __init__(
        self,
        base_url: str,
        email: str | None = None,
        password: str | None = None,
        *,
        admin_api_key: str | None = None,
        workspace_id: Id | None = None,
        token_store: TokenStore | None = None,
        session: aiohttp.ClientSession | None = None,
        server_version: str | None = None,
        timeout: float = 30.0,
        max_concurrency: int = 8,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a RetryPolicy is immutable
        max_response_bytes: int = 64 * 2**20,
        ssl: bool | ssl_module.SSLContext = True,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        # Error trackers show the arguments if this constructor raises an error.
        password, admin_api_key, proxy = masked(password), masked(admin_api_key), masked(proxy)
        headers = masked(headers)
        credentials = checked_credentials(email, password, admin_api_key, workspace_id)
        _checks.positive("timeout", timeout)
        _checks.integer("max_concurrency", max_concurrency)
        _checks.integer("max_response_bytes", max_response_bytes)
        _checks.instance("retry", retry, RetryPolicy, "a RetryPolicy")
        _checks.callback("on_event", on_event)
        if token_store is not None:
            stores = "a RedisTokenStore, a MemoryTokenStore or an object with their methods"
            _checks.methods("token_store", token_store, _STORE_METHODS, stores)
        self._base_url = normal_base_url(base_url)
        self._max_concurrency = max_concurrency
        self._zone_lock = anyio.Lock()
        self._limiter = AdaptiveLimiter(max_concurrency)
        is_admin = isinstance(credentials, AdminKeyCredentials)
        reserved = RESERVED_WITH_ADMIN_KEY if is_admin else frozenset[str]()
        self._transport = Transport(
            self._base_url,
            session=session,
            timeout=timeout,
            max_response_bytes=max_response_bytes,
            ssl=ssl,
            extras=Extras(
                checked_headers("headers", headers, reserved),
                None if proxy is None else checked_proxy(proxy),
                reserved,
            ),
        )
        emit = None if on_event is None else emitter(on_event)
        sender = Sender(self._transport, emit)
        version = None if server_version is None else checked_version(server_version)
        self._probe = ServerProbe(sender, retry, version)
        # Opened and closed by this client, unlike a store that the caller passes.
        self._own_store: EnvironmentStore | None = None
        self._auth: Auth
        if isinstance(credentials, AdminKeyCredentials):
            from dify_async._auth.admin_key import AdminKey  # noqa: PLC0415 - few clients have one

            self._auth = AdminKey(self._probe, credentials.admin_api_key, credentials.workspace_id)
            self._account_key = _store_key(self._base_url, credentials.workspace_id)
        else:
            email, password = credentials.email, credentials.password
            self._account_key = _store_key(self._base_url, email)
            self._seal = getattr(token_store, "seal", None)
            store = FallbackStore(token_store, self._account_key, emit)
            if token_store is None:
                self._own_store = EnvironmentStore(store)
            self._auth = Session(sender, self._probe, retry, store, emit, email=email, password=password)
        self._caller = Caller(sender, self._auth, self._limiter, retry)

    @classmethod
    def from_env(cls, **overrides: Unpack[Options]) -> Self:
        """Create a client from environment variables. Arguments take precedence over their variables.

        Variables: DIFY_BASE_URL; DIFY_EMAIL and DIFY_PASSWORD, or DIFY_ADMIN_API_KEY and
        DIFY_WORKSPACE_ID; and optionally DIFY_REDIS_URL for the token store, DIFY_MAX_CONCURRENCY,
        DIFY_TIMEOUT in seconds, and DIFY_PROXY. An empty variable counts as not set.

        Raises:
            DifyConfigError: An argument is missing, or a variable is invalid; the message gives its name.
                DIFY_REDIS_URL is validated when the client is entered.
        """
        from .options import from_environment, masked_options  # noqa: PLC0415 - few clients need them

        overrides = masked_options(overrides)
        return cls(**from_environment(overrides))

    def __repr__(self) -> str:
        return f"AsyncDifyServer({self._base_url!r})"

    @property
    def base_url(self) -> str:
        """The server's URL, without a trailing slash or `/console/api`."""
        return self._base_url

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> Self:
        """Open the client, as `async with` does, and return it. Close it with `aclose()`.

        Nothing is sent: the first call logs in. A closed client can be opened again.

        Raises:
            DifyConfigError: A setting of the environment or of the session cannot be used.
            DifyError: The client is open already.
        """
        if self._own_store is not None:
            await self._own_store.open()
        import_what_failures_need()
        await self._transport.open()
        return self

    async def aclose(self) -> None:
        """Close the client, as leaving `async with` does. Closing a client that is not open does nothing.

        Running calls end with an error. A token refresh in progress may take up to two seconds to finish,
        so that the session is kept. A session or token store that you passed in stays open.
        """
        # If the event loop was closed, nothing is left to close.
        was_abandoned = self._transport.abandon()
        self._transport.refuse_calls()
        if was_abandoned:
            return
        self._limiter.refuse_waiting(DifyError("the client was closed"))
        await complete(self._close())

    async def _close(self) -> None:
        try:
            await self._auth.close()
        finally:
            await self._transport.close()
            if self._own_store is not None:
                await self._own_store.aclose()


def _store_key(base_url: str, account: str) -> str:
    """The token store's key for one account on one server; it reveals neither the account nor the server."""
    return hashlib.sha256(f"{base_url} {account}".encode()).hexdigest()[:32]
