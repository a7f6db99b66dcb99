"""What every request has in addition: headers and a proxy, of the client and of the caller's session.

The session's connector, trace_configs and middlewares apply too. Its cookies, timeout and redirects do not,
and neither do settings of what it does with responses.
"""

from __future__ import annotations

import asyncio
import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

import anyio
from msgspec import Struct
from msgspec.structs import replace

from dify_async._secrets import Secret, masked
from dify_async.errors import DifyConfigError

from .headers import checked_headers, has_authorization, merged
from .urls import Proxy, basic_auth, checked_proxy

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL


class Extras(Struct, frozen=True):
    """Headers of every request to the server, and the proxy to connect through.

    Attributes:
        headers: The headers.
        proxy: The proxy.
        reserved: Names of headers that the client sets itself, in lower case.
    """

    headers: Mapping[str, Secret]
    proxy: Proxy | None = None
    reserved: frozenset[str] = frozenset()

    @property
    def proxy_url(self) -> URL | None:
        """The proxy's URL, without a password."""
        return None if self.proxy is None else self.proxy.url

    @property
    def proxy_headers(self) -> dict[str, str] | None:
        """The headers for the proxy alone."""
        authorization = None if self.proxy is None else self.proxy.authorization
        return None if authorization is None else {"Proxy-Authorization": authorization}

    def check_authorization(self) -> None:
        """Raise DifyConfigError if the caller's headers have no place for a token in Authorization."""
        if has_authorization(self.headers):
            raise DifyConfigError(
                "headers and session must not have an Authorization header: this server, of Dify up to 1.9.1,"
                " expects its token there"
            )

    def added_to(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers to send for a request that has these."""
        if "Authorization" in headers:
            self.check_authorization()
        return {**self.headers, **headers}


async def with_session(extras: Extras, session: aiohttp.ClientSession, url: URL) -> Extras:
    """The client's extras and those of the caller's session; the client's take precedence.

    Args:
        extras: The client's own.
        session: The caller's session.
        url: The server's URL.

    Raises:
        DifyConfigError: A setting of the session cannot apply.
    """
    if session.closed or session.connector is None:
        raise DifyConfigError("session must be open, got a closed one")
    if session._loop is not asyncio.get_running_loop():  # noqa: SLF001 - the public name is deprecated
        raise DifyConfigError("session must belong to this event loop, got a session of another event loop")
    # The settings below have no public names.
    if session._request_class.__module__.partition(".")[0] != "aiohttp":  # noqa: SLF001
        raise DifyConfigError("session must not have a custom request_class=")
    headers = checked_headers("the session's headers", session.headers, extras.reserved)
    if session.auth is not None and session._base_url_origin in {None, url.origin()}:  # noqa: SLF001
        if has_authorization(headers):
            raise DifyConfigError("session must not have both auth= and an Authorization header")
        headers |= _authorization("the session's auth", Secret(session.auth.encode()), extras.reserved)
    headers = merged(headers, extras.headers)
    proxy = extras.proxy or _proxy_of(session)
    if session.trust_env:
        if proxy is None:
            proxy = await anyio.to_thread.run_sync(_proxy_of_environment, url)
        if not has_authorization(headers):
            value = await anyio.to_thread.run_sync(_basic_auth_of_netrc, url.raw_host or "")
            if value is not None:
                headers |= _authorization("the entry of the server in .netrc", value, extras.reserved)
    return replace(extras, headers=headers, proxy=proxy)


def _authorization(name: str, value: Secret, reserved: frozenset[str]) -> dict[str, Secret]:
    return checked_headers(name, {"Authorization": value}, reserved)


def _proxy_of(session: aiohttp.ClientSession) -> Proxy | None:
    if session._default_proxy is None:  # noqa: SLF001
        return None
    proxy = checked_proxy(masked(str(session._default_proxy)), "the session's proxy")  # noqa: SLF001
    authorization = session._default_proxy_auth  # noqa: SLF001
    return proxy if authorization is None else Proxy(proxy.url, Secret(authorization.encode()))


def _proxy_of_environment(url: URL) -> Proxy | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY, or the system's settings, select for a URL."""
    if proxy_bypass(f"{url.raw_host}:{url.port}"):
        return None
    name = f"{url.scheme.upper()}_PROXY"
    proxy = masked(getproxies().get(url.scheme))
    return None if proxy is None else checked_proxy(proxy, name)


def _basic_auth_of_netrc(host: str) -> Secret | None:
    """The user and password for a host, from the file that NETRC names or from the home folder."""
    name = os.environ.get("NETRC") or ("~/_netrc" if os.name == "nt" else "~/.netrc")
    try:
        entry = netrc.netrc(Path(name).expanduser()).authenticators(host)
    except (OSError, RuntimeError, UnicodeDecodeError, netrc.NetrcParseError):
        return None  # as aiohttp, curl and requests do
    return None if entry is None else basic_auth(entry[0] or entry[1] or "", entry[2] or "")
