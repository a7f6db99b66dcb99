"""AsyncDifyServer: how it is made, opened and closed."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import itertools
import logging
import math
import os
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

import anyio

from dify_async._api.caller import Caller
from dify_async._api.probe import ServerProbe
from dify_async._api.versions import checked_version
from dify_async._auth.admin_key import KeyAuth
from dify_async._auth.password import PasswordAuth
from dify_async._auth.store_guard import StoreGuard
from dify_async._http.limiter import AdaptiveLimiter
from dify_async._http.retry import RetryPolicy
from dify_async._http.sender import Sender
from dify_async._http.transport import Transport
from dify_async._http.urls import checked_proxy, normal_base_url
from dify_async._secrets import masked
from dify_async.errors import DifyConfigError, DifyError
from dify_async.events import emitter
from dify_async.tokens import MemoryTokenStore

from ._calls import check_callback, check_encodable
from .account import AccountCalls
from .app_changes import AppChangeCalls
from .bulk import BulkCalls
from .conversations import ConversationCalls
from .dashboard import DashboardCalls
from .keys import KeyCalls
from .knowledge import KnowledgeCalls
from .messages import MessageCalls
from .raw import RawCalls
from .workflows import WorkflowCalls
from .workspace import WorkspaceCalls

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Callable, Mapping
    from types import TracebackType

    import aiohttp

    from dify_async._auth.grant import Auth
    from dify_async.events import OnEvent
    from dify_async.redis_store import RedisTokenStore
    from dify_async.tokens import TokenStore

    from ._options import Options

logger = logging.getLogger("dify_async")

_STORE_METHODS: Final = ("load", "save", "clear", "lock")
_OUR_VARIABLE: Final = "DIFY_REDIS_URL"
_REDIS_VARIABLES: Final = (_OUR_VARIABLE, "REDIS_URL")
# Redis is imported by those who use it: now if that is known, since clients are made in an event loop,
# which an import holds up.
if any(map(os.environ.get, _REDIS_VARIABLES)):
    importlib.import_module("dify_async.redis_store")


class AsyncDifyServer(
    BulkCalls,
    KeyCalls,
    ConversationCalls,
    MessageCalls,
    DashboardCalls,
    AppChangeCalls,
    WorkflowCalls,
    KnowledgeCalls,
    WorkspaceCalls,
    AccountCalls,
    RawCalls,
):
    """Dify's console API, for one account or one admin API key.

    Use it as an async context manager; it signs in at the first call. One object serves any number
    of tasks of one event loop. It may be left and entered again, also in another event loop.

    Args:
        base_url: Scheme and host, with or without a path, as "https://dify.example.com".
        email: The account's e-mail, with `password`.
        password: The account's password.
        admin_api_key: The server's ADMIN_API_KEY instead, with `workspace_id`. Dify 1.9.2 to 1.10.1
            cannot serve it.
        workspace_id: The workspace as whose owner the key acts.
        token_store: Where tokens are kept. By default in Redis where DIFY_REDIS_URL or else REDIS_URL
            is set in the environment, and in memory otherwise.
        session: An aiohttp session whose connector is used; it is never closed, and its cookies are
            neither sent nor changed.
        server_version: Dify's version, such as "1.11.2", if a proxy hides it. By default it is read from
            the server before the first sign-in, and then from every answer; if it is hidden, the newest
            rules apply.
        timeout: Seconds for one attempt, counted from when it has its slot.
        max_concurrency: Requests under way at once, over all callers. Dify's default worker takes 10
            connections, and people use the console beside this client.
        retry: How calls are repeated after failures that may pass.
        max_response_bytes: The largest answer that is read, after decompression.
        ssl: An ssl.SSLContext for a server with a certificate of its own, as by
            `ssl.create_default_context(cafile="ca.pem")`. False checks nothing, and is unsafe: whoever
            stands between can read the password. A session that is passed in goes by its own connector.
        proxy: The URL of an HTTP proxy. The environment's proxy settings are not read.
        on_event: A plain function, called with each event of `dify_async.events`, for counting and tracing.

    Raises:
        DifyConfigError: An argument is wrong.
    """

    _base_url: str = ""  # for the repr of one whose construction was refused

    def __init__(
        self,
        base_url: str,
        email: str | None = None,
        password: str | None = None,
        *,
        admin_api_key: str | None = None,
        workspace_id: str | None = None,
        token_store: TokenStore | None = None,
        session: aiohttp.ClientSession | None = None,
        server_version: str | None = None,
        timeout: float = 30.0,
        max_concurrency: int = 8,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - it cannot change
        max_response_bytes: int = 64 * 2**20,
        ssl: bool | ssl_module.SSLContext = True,
        proxy: str | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        # An error tracker shows the arguments of a constructor that raises.
        password, admin_api_key, proxy = masked(password), masked(admin_api_key), masked(proxy)
        _check_credentials(email, password, admin_api_key, workspace_id)
        _check_positive(
            timeout=timeout, max_concurrency=max_concurrency, max_response_bytes=max_response_bytes
        )
        _check_kinds(retry=retry, token_store=token_store, on_event=on_event)
        self._base_url = normal_base_url(base_url)
        self._max_concurrency = max_concurrency
        self._zone_lock = anyio.Lock()
        self._limiter = AdaptiveLimiter(max_concurrency)
        self._transport = Transport(
            self._base_url,
            session=session,
            timeout=timeout,
            max_response_bytes=max_response_bytes,
            ssl=ssl,
            proxy=None if proxy is None else checked_proxy(proxy),
        )
        emit = emitter(on_event)
        sender = Sender(self._transport, None if on_event is None else emit)
        version = None if server_version is None else checked_version(server_version)
        self._probe = ServerProbe(sender, retry, version)
        self._own_store: RedisTokenStore | None = None
        self._auth: Auth
        if admin_api_key is not None and workspace_id is not None:
            self._auth = KeyAuth(self._probe, admin_api_key, workspace_id)
        else:
            assert email is not None  # noqa: S101 - checked above, for the type checker
            assert password is not None  # noqa: S101
            kept_in = self._store_by_environment() if token_store is None else token_store
            store = StoreGuard(kept_in, _key(self._base_url, email), emit)
            self._auth = PasswordAuth(
                sender, self._probe, store, retry, email=email, password=password, emit=emit
            )
        self._caller = Caller(sender, self._probe, self._auth, self._limiter, retry)

    @classmethod
    def from_env(cls, **overrides: Unpack[Options]) -> Self:
        """A client by the environment; an argument given here goes before its variable.

        Variables: DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD, or DIFY_ADMIN_API_KEY and
        DIFY_WORKSPACE_ID; DIFY_REDIS_URL for the token store; DIFY_MAX_CONCURRENCY, DIFY_TIMEOUT in
        seconds, and DIFY_PROXY. An empty variable counts as not set.

        Raises:
            DifyConfigError: An argument is missing, or a variable cannot be used.
        """
        return cls(**from_environment(overrides))

    def __repr__(self) -> str:
        return f"AsyncDifyServer({self._base_url!r})"

    async def __aenter__(self) -> Self:
        if self._transport.is_open:
            raise DifyError("the client is open already")
        await self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.refuse_calls()
        self._limiter.refuse_waiting(DifyError("the client was closed"))
        with anyio.CancelScope(shield=True):
            try:
                await self._auth.close()
            finally:
                await self._transport.close()
                if self._own_store is not None:
                    await self._own_store.aclose()

    def _store_by_environment(self) -> TokenStore:
        for variable in filter(os.environ.get, _REDIS_VARIABLES):
            from dify_async.redis_store import RedisTokenStore  # noqa: PLC0415

            try:
                self._own_store = RedisTokenStore(masked(os.environ[variable]))
            except DifyConfigError as error:
                if variable == _OUR_VARIABLE:
                    raise DifyConfigError(f"{variable}: {error}") from None
                # It may be meant for another program.
                logger.warning("%s is not used for tokens: %s", variable, error)
            else:
                logger.info("tokens are kept in Redis, by %s", variable)
                return self._own_store
        logger.info("tokens are kept in memory")
        return MemoryTokenStore()


def from_environment(overrides: Options) -> dict[str, Any]:
    """The arguments of a client, those that are not given by the environment's variables."""
    given: dict[str, Any] = {**overrides}
    account, key = ("email", "password"), ("admin_api_key", "workspace_id")
    ways_in = [way for way in (account, key) if not given.keys().isdisjoint(way)] or [account, key]
    for name in ("base_url", *itertools.chain(*ways_in)):
        value = os.environ.get(f"DIFY_{name.upper()}")
        if value:
            given.setdefault(name, masked(value) if name in {"password", "admin_api_key"} else value)
    if "base_url" not in given:
        raise DifyConfigError("DIFY_BASE_URL is not set, and no base_url was given")
    for name, read in _SETTINGS.items():
        variable = f"DIFY_{name.upper()}"
        value = os.environ.get(variable)
        if value and name not in given:
            given[name] = read(variable, value)
    return given


def _whole_number(variable: str, text: str) -> int:
    with contextlib.suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise DifyConfigError(f"{variable} must be an integer of at least 1, got {text!r:.40}")


def _seconds(variable: str, text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise DifyConfigError(f"{variable} must be a number of seconds greater than 0, got {text!r:.40}")


def _proxy(variable: str, text: str) -> str:
    text = masked(text)
    checked_proxy(text, variable)
    return text


# What else the environment may set, and how the text of each variable is read.
_SETTINGS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "max_concurrency": _whole_number,
    "timeout": _seconds,
    "proxy": _proxy,
}


def _check_credentials(
    email: str | None, password: str | None, admin_api_key: str | None, workspace_id: str | None
) -> None:
    account = {"email": email, "password": password}
    key = {"admin_api_key": admin_api_key, "workspace_id": workspace_id}
    given = [pair for pair in (account, key) if any(value is not None for value in pair.values())]
    if len(given) != 1:
        raise DifyConfigError("pass either email and password, or admin_api_key and workspace_id")
    for name, value in given[0].items():
        if not isinstance(value, str) or not value:
            raise DifyConfigError(f"{name} is missing; pass {' and '.join(given[0])}")
        check_encodable(**{name: value})
    for name, value in key.items():
        if value is not None and not (value.isascii() and value.isprintable()):
            raise DifyConfigError(f"{name} holds characters that no header may have")


def _check_kinds(*, retry: object, token_store: object, on_event: object) -> None:
    if not isinstance(retry, RetryPolicy):
        raise DifyConfigError(f"retry is of type {type(retry).__name__}; it is a RetryPolicy")
    if token_store is not None and not all(hasattr(token_store, name) for name in _STORE_METHODS):
        raise DifyConfigError(
            f"token_store is of type {type(token_store).__name__}; it is a RedisTokenStore(url),"
            " a MemoryTokenStore(), or has their methods"
        )
    check_callback("on_event", on_event)


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        whole = name != "timeout"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise DifyConfigError(f"{name} is {value!r}; it is a number")
        if not 0 < value < math.inf:
            raise DifyConfigError(f"{name} is {value!r}; it is greater than 0")


def _key(base_url: str, email: str) -> str:
    """What tokens are kept under: one account on one server, in no spelling that tells who."""
    return hashlib.sha256(f"{base_url} {email}".encode()).hexdigest()[:32]
