"""Check and build URLs: the base URL, the proxy, ids in paths, and query values. No I/O."""

from __future__ import annotations

import base64
import re
import string
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from msgspec import Struct
from yarl import URL

from dify_async import _checks
from dify_async._secrets import Secret
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

API_ROOT: Final = "/console/api"

QueryValue = str | int | bool | None
Query = tuple[tuple[str, QueryValue], ...]

_MAX_ID_LENGTH: Final = 255
# Quoting is not enough: servers decode %2F before routing (1.11.2 returned the list of keys for GET
# /apps/ID%2Fapi-keys), and a proxy may decode %25 a second time. Dify's ids never contain these characters.
_FORBIDDEN_IN_ID: Final = r"[/\\%\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
# What base_url ends in if it was copied from a browser, or from a client of the API of apps. A server may be
# below any other path.
_PAGE: Final = (
    r"(?:/signin|/install|/init|(?:/explore)?/apps|/datasets|/(?:app|datasets)/[0-9a-f-]{36}(?:/.*)?|/v1"
    rf"|(?<={API_ROOT})/.+)\Z"
)
_UNRESERVED: Final = f"{string.ascii_letters}{string.digits}-._~"  # RFC 3986, 2.3
_QUOTED: Final = {code: f"%{code:02X}" for code in range(128) if chr(code) not in _UNRESERVED}


def normal_base_url(url: str) -> str:
    """The canonical form of a base URL, without a trailing slash or `/console/api`."""
    if not isinstance(url, str) or not url.strip():
        raise DifyConfigError('base_url must be a URL such as "https://dify.example.com"')
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DifyConfigError("base_url must be a URL with a valid host and port") from None
    scheme = parts.scheme.lower()
    if "@" in parts.netloc:
        raise DifyConfigError(
            "base_url must not contain a user name or password; pass email and password instead"
        )
    if scheme not in {"http", "https"}:
        raise DifyConfigError('base_url must begin with "https://" or "http://"')
    if not host or re.search(r"[\s\x00-\x1f]", host):
        raise DifyConfigError('base_url must have a host, as in "https://dify.example.com"')
    if parts.query or parts.fragment:
        raise DifyConfigError('base_url must not contain "?" or "#"')
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        host = f"{host}:{port}"
    base_url = f"{scheme}://{host}{_base_path(parts.path)}"
    if _usable_url(base_url) is None:
        raise DifyConfigError(
            "base_url must have a valid host name, with 1 to 63 characters between dots, as in"
            ' "https://dify.example.com"'
        )
    return base_url


def _base_path(path: str) -> str:
    path = path.rstrip("/").removesuffix(API_ROOT).rstrip("/")
    if page := re.search(_PAGE, path):
        raise DifyConfigError(
            "base_url must be the address of the server, not of a page or of another API;"
            f" remove {_checks.shown(page[0])[1:-1]} from base_url"
        )
    return path


class Proxy(Struct, frozen=True):
    """An HTTP proxy.

    Attributes:
        url: The URL without user name and password.
        authorization: The value of the Proxy-Authorization header; None without user name and password.
    """

    url: URL
    authorization: Secret | None


def checked_proxy(text: str, name: str = "proxy") -> Proxy:
    """Parse the URL of a proxy. Errors show `name`: the argument or environment variable with the URL."""
    proxy = _proxy(text) if isinstance(text, str) else None
    # Not raised in `_proxy`, whose local variables contain the password.
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
    # These are present if the password contains a "/", "?" or "#" that is not percent-encoded.
    if url.raw_path not in {"", "/"} or url.raw_query_string or url.raw_fragment:
        return None
    if url.user is None and url.password is None:
        return Proxy(url, None)
    return Proxy(url.with_user(None), basic_auth(url.user or "", url.password or ""))


def basic_auth(user: str, password: str) -> Secret:
    """The value of an Authorization header for basic auth."""
    return Secret(f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")


def _usable_url(text: str) -> URL | None:
    """The URL, or None if it is invalid."""
    try:
        text.encode()  # raises for lone surrogates, which yarl drops
        url = URL(text)
        # yarl accepts host names for which the resolver raises a UnicodeError; encoding them raises it here.
        return url if url.raw_host and url.raw_host.encode("idna") else None
    except (ValueError, IndexError):  # includes UnicodeError; yarl raises an IndexError for "[]@"
        return None


def quote_id(identifier: str) -> str:
    """Quote an id as a single path segment. Raises DifyConfigError if the id could address another route."""
    if (
        not isinstance(identifier, str)
        or identifier in {"", ".", ".."}
        or len(identifier) > _MAX_ID_LENGTH
        or re.search(_FORBIDDEN_IN_ID, identifier)
    ):
        raise DifyConfigError(
            f"{_checks.shown(identifier)} is not an id: ids of Dify are UUIDs, such as `app.id`"
        )
    return _quote(identifier)


def build_target(template: str, ids: Sequence[str], query: Query) -> str:
    """The path and query of a request. Parameters that are None are omitted."""
    path = template.format(*map(quote_id, ids))
    try:
        # Not sent as empty values: Dify up to 1.10.1 responds to `start=` with 400.
        pairs = [
            f"{_quote(name)}={_quote(_encoded(name, value))}" for name, value in query if value is not None
        ]
    except UnicodeEncodeError:
        raise DifyConfigError("filters must be valid Unicode, got a lone surrogate") from None
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def _quote(text: str) -> str:
    # For ASCII strings, this takes a fifth of the time of urllib's quote().
    return text.translate(_QUOTED) if text.isascii() else quote(text, safe="")


def _encoded(name: str, value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise _checks.refused(name, "a string, an integer, True or False", value)
    return str(value)
