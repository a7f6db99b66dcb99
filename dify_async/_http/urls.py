"""Addresses: the base URL, the proxy, path templates and query values. Pure."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct
from yarl import URL

from dify_async._secrets import Secret
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

API_ROOT: Final = "/console/api"

QueryValue = str | int | bool | None
Query = tuple[tuple[str, QueryValue], ...]

_MAX_ID_LENGTH: Final = 255
# Quoting is not enough: servers decode %2F before they route (1.11.2 answered the key list to
# GET /apps/ID%2Fapi-keys), and a proxy may decode %25 once more. No id of Dify holds any of these.
_NOT_IN_AN_ID: Final = re.compile(r"[/\\%\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def normal_base_url(text: str) -> str:
    """One spelling for each server, without a trailing slash or `/console/api`."""
    if not isinstance(text, str) or not text.strip():
        raise DifyConfigError('base_url is empty; it reads as "https://dify.example.com"')
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DifyConfigError("base_url is not a URL: its host or port cannot be read") from None
    scheme = parts.scheme.lower()
    if "@" in parts.netloc:
        raise DifyConfigError("base_url holds a user name or password; pass email and password instead")
    if scheme not in {"http", "https"}:
        raise DifyConfigError('base_url must begin with "https://" or "http://"')
    if not host or re.search(r"[\s\x00-\x1f]", host):
        raise DifyConfigError('base_url has no host; it reads as "https://dify.example.com"')
    if parts.query or parts.fragment:
        raise DifyConfigError('base_url ends before any "?" or "#"')
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        host = f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix(API_ROOT).rstrip("/")
    base_url = f"{scheme}://{host}{path}"
    if _usable_url(base_url) is None:
        raise DifyConfigError(
            "base_url must be a URL with a valid host name, of 1 to 63 characters between two dots, as in"
            ' "https://dify.example.com"'
        )
    return base_url


class Proxy(Struct, frozen=True):
    """An HTTP proxy.

    Attributes:
        url: Its address, without a user name and password.
        authorization: The value of Proxy-Authorization; None without a password.
    """

    url: URL
    authorization: Secret | None


def checked_proxy(text: str, name: str = "proxy") -> Proxy:
    """The proxy of an argument or a variable of the environment."""
    proxy = _proxy(text) if isinstance(text, str) else None
    # Raised here, where no local variable holds the password in clear.
    if proxy is None:
        raise DifyConfigError(
            f'{name} must be "http://HOST:PORT" or "http://USER:PASSWORD@HOST:PORT", with special characters'
            ' of the password percent-encoded ("#" as %23, "/" as %2F)'
        )
    return proxy


def _proxy(text: str) -> Proxy | None:
    url = _usable_url(text.strip())
    if url is None or url.scheme not in {"http", "https"} or not url.port:
        return None
    if url.raw_path not in {"", "/"} or url.raw_query_string or url.raw_fragment:  # of a password with "/"
        return None
    if url.user is None and url.password is None:
        return Proxy(url, None)
    credentials = f"{url.user or ''}:{url.password or ''}".encode()
    return Proxy(url.with_user(None), Secret(f"Basic {base64.b64encode(credentials).decode()}"))


def _usable_url(text: str) -> URL | None:
    """The URL, if the name of its host can be looked up.

    The names that yarl lets through and the look-up does not, would be a UnicodeError at each call.
    """
    try:
        text.encode()  # yarl leaves out halves of surrogate pairs
        url = URL(text)
        return url if url.raw_host and url.raw_host.encode("idna") else None
    except ValueError:  # a UnicodeError too
        return None


def quote_id(identifier: str) -> str:
    """An id as one segment of a path; what could reach another route is refused."""
    if (
        not isinstance(identifier, str)
        or identifier in {"", ".", ".."}
        or len(identifier) > _MAX_ID_LENGTH
        or _NOT_IN_AN_ID.search(identifier)
    ):
        shown = repr(identifier if len(repr(identifier)) < 80 else f"{identifier!s:.60}…")
        raise DifyConfigError(f"{shown} is not an id: ids of Dify are UUIDs, as `app.id` gives them")
    return quote(identifier, safe="")


def build_target(template: str, ids: Sequence[str], query: Query) -> str:
    """The path and query of a request; a value of None is left out.

    Absent is not empty: `start=` is a 400 up to Dify 1.10.1.
    """
    path = template.format(*map(quote_id, ids))
    pairs = [(name, _text(name, value)) for name, value in query if value is not None]
    try:
        return f"{path}?{urlencode(pairs, quote_via=quote)}" if pairs else path
    except UnicodeEncodeError:
        raise DifyConfigError("a filter holds half of a surrogate pair, which is no text") from None


def _text(name: str, value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise DifyConfigError(f"{name} is {value!r:.40}; it is text, a number or a yes or no")
    return str(value)
