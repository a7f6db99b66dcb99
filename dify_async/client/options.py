"""The arguments of the clients as TypedDicts, and from environment variables: for `from_env`."""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, cast

from dify_async import _checks
from dify_async._http.urls import checked_proxy
from dify_async._secrets import masked
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Callable, Mapping

    import aiohttp

    from dify_async._http.retry import RetryPolicy
    from dify_async._ids import Id
    from dify_async.events import OnEvent
    from dify_async.tokens import TokenStore


_ACCOUNT: Final = ("email", "password")
_ADMIN_KEY: Final = ("admin_api_key", "workspace_id")
_SECRETS: Final = frozenset({"password", "admin_api_key", "proxy", "headers"})


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


OptionsT = TypeVar("OptionsT", bound=SyncOptions)


def masked_options(options: OptionsT) -> OptionsT:
    """The same arguments, with masked reprs of the secrets, and of those whose name may be misspelt."""
    plain = Options.__annotations__.keys() - _SECRETS
    return cast(
        "OptionsT", {name: value if name in plain else masked(value) for name, value in options.items()}
    )


def from_environment(overrides: SyncOptions, allowed: type[SyncOptions] = Options) -> dict[str, Any]:
    """The client's arguments: the given ones, if they are `allowed`, and the others from the environment."""
    given: dict[str, Any] = {**overrides}
    for name in given.keys() - allowed.__annotations__.keys():
        hint = _checks.suggestion(name, allowed.__annotations__)
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
