"""The client's arguments and token store from environment variables."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from typing import TYPE_CHECKING, Any, Final, cast

import anyio

from dify_async import _checks
from dify_async._http.urls import checked_proxy
from dify_async._secrets import masked
from dify_async.errors import DifyConfigError

from .options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dify_async._auth.fallback_store import FallbackStore
    from dify_async.redis_store import RedisTokenStore

logger: Final = logging.getLogger("dify_async")

_OWN_VARIABLE: Final = "DIFY_REDIS_URL"
_REDIS_VARIABLES: Final = (_OWN_VARIABLE, "REDIS_URL")
_ACCOUNT: Final = ("email", "password")
_ADMIN_KEY: Final = ("admin_api_key", "workspace_id")
_SECRETS: Final = frozenset({"password", "admin_api_key", "proxy", "headers"})


def masked_options(options: Options) -> Options:
    """The same arguments, with masked reprs of the secrets, and of those whose name may be misspelt."""
    plain = Options.__annotations__.keys() - _SECRETS
    return cast(
        "Options", {name: value if name in plain else masked(value) for name, value in options.items()}
    )


def from_environment(overrides: Options) -> dict[str, Any]:
    """The client's arguments: the given ones, and the others from environment variables."""
    given: dict[str, Any] = {**overrides}
    for name in given.keys() - Options.__annotations__.keys():
        hint = _checks.suggestion(name, Options.__annotations__)
        raise DifyConfigError(f"from_env has no argument {name!r}{f'; {hint}' if hint else ''}")
    logins = [names for names in (_ACCOUNT, _ADMIN_KEY) if not given.keys().isdisjoint(names)]
    for name in ("base_url", *itertools.chain(*(logins or (_ACCOUNT, _ADMIN_KEY)))):
        value = os.environ.get(f"DIFY_{name.upper()}")
        if value:
            given.setdefault(name, masked(value) if name in _SECRETS else value)
    if "base_url" not in given:
        raise DifyConfigError("base_url is missing; pass it or set DIFY_BASE_URL")
    for name, read in _SETTINGS.items():
        variable = f"DIFY_{name.upper()}"
        value = os.environ.get(variable)
        if value and name not in given:
            given[name] = read(variable, value)
    return given


def _integer(variable: str, text: str) -> int:
    return _checks.integer(variable, _parsed(int, text))


def _seconds(variable: str, text: str) -> float:
    return _checks.positive(variable, _parsed(float, text))


def _proxy(variable: str, text: str) -> str:
    text = masked(text)
    checked_proxy(text, variable)
    return text


def _parsed(parse: Callable[[str], object], text: str) -> object:
    with contextlib.suppress(ValueError):
        return parse(text)
    return text


# The optional variables, and how each is read.
_SETTINGS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "max_concurrency": _integer,
    "timeout": _seconds,
    "proxy": _proxy,
}


class EnvironmentStore:
    """The token store that the environment selects: Redis if a variable has a URL for it, otherwise memory.

    The variables are read when the client is created. redis is imported when the client is entered, in a
    thread, because importing it would block the event loop.
    """

    def __init__(self, fallback: FallbackStore) -> None:
        self._fallback = fallback
        self._urls = {name: masked(url) for name in _REDIS_VARIABLES if (url := os.environ.get(name))}
        self._is_selected = False
        self._redis: RedisTokenStore | None = None

    async def open(self) -> None:
        """Select the store, the first time that the client is entered."""
        if self._is_selected:
            return
        if self._urls:
            self._redis = await anyio.to_thread.run_sync(_redis_store, self._urls)
        if self._redis is None:
            logger.info("tokens are kept in memory")
        else:
            self._fallback.store = self._redis
        self._is_selected = True

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()


def _redis_store(urls: Mapping[str, str]) -> RedisTokenStore | None:
    from dify_async.redis_store import RedisTokenStore  # noqa: PLC0415 - it imports redis

    for variable, url in urls.items():
        try:
            store = RedisTokenStore(url)
        except DifyConfigError as error:
            if variable == _OWN_VARIABLE:
                raise DifyConfigError(f"{variable}: {error}") from None
            # REDIS_URL may be meant for another program.
            logger.warning("%s is not used for tokens: %s", variable, error)
        else:
            logger.info("tokens are kept in Redis (%s)", variable)
            return store
    return None
