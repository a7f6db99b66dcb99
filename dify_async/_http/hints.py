"""What to do about an error response: one sentence, or "". Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .urls import API_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    GetHeader = Callable[[str], str | None]

# In the 400s of nginx, Apache, and servers written in Go.
_PLAIN_TEXT_TO_TLS: Final = rb"plain HTTP request|speaking plain HTTP|HTTP request to an HTTPS"
_NO_CLIENT_CERTIFICATE: Final = rb"No required SSL certificate|SSL certificate error"  # nginx
_MAX_SEARCHED: Final = 1000
# A server may offer several schemes, in one header or in several.
_BASIC: Final = r"(?i)(?:^|,)\s*basic\b"
PROXY_LOGIN_ADVICE: Final = "pass proxy= as http://USER:PASSWORD@HOST:PORT"
# The statuses with which firewalls, proxies and login pages reject requests.
_REJECTIONS: Final = frozenset({401, 403, 405, 406, 429, 503})
_CLOUDFLARE_ACCESS: Final = "/cdn-cgi/access/"


def hint_of(
    status: int,
    code: str | None,
    path: str,
    *,
    get_header: GetHeader,
    challenges: str,
    body: bytes,
    base_path: str,
) -> str:
    """What to do about an error status.

    Args:
        status: The status of the response.
        code: Dify's error code; None if the body has none.
        path: The path of the call below /console/api.
        get_header: Gets a header of the response.
        challenges: The values of WWW-Authenticate, separated by commas.
        body: The body of the response.
        base_path: The path of `base_url`, usually "".
    """
    if 300 <= status < 400:
        location = get_header("Location") or ""
        return f"Redirects are not followed; {_redirect_hint(location, path, base_path)}"
    if code is not None:
        is_forbidden = status == 403 and code == "forbidden"
        return "The account's role in the workspace does not allow it" if is_forbidden else ""
    is_page = "html" in (get_header("Content-Type") or "")
    return _proxy_hint(status, challenges, body) or (_page_hint(status, base_path) if is_page else "")


def _proxy_hint(status: int, challenges: str, body: bytes) -> str:
    start = body[:_MAX_SEARCHED]
    if status == 400 and re.search(_PLAIN_TEXT_TO_TLS, start):
        return "The server requires https: base_url must begin with https://"
    if status == 400 and re.search(_NO_CLIENT_CERTIFICATE, start):
        return (
            "The server requires a client certificate: load it with context.load_cert_chain(…), and pass"
            " ssl=context"
        )
    if status == 407:
        return f"The proxy requires a user name and password: {PROXY_LOGIN_ADVICE}"
    if status == 401 and re.search(_BASIC, challenges):
        return (
            "A proxy in front of Dify, not Dify, requires a user name and password (basic auth): pass them"
            f" with headers=, or exempt {API_ROOT} from it"
        )
    return ""


def _page_hint(status: int, base_path: str) -> str:
    if status in {404, 405} and base_path:
        return _base_path_hint(base_path)
    if status == 404:
        return "There is no such route, or base_url is not the address of Dify's API, or the id is not a UUID"
    if status in _REJECTIONS:
        return (
            "The response is a web page, so it is from a firewall, proxy or login page in front of Dify:"
            f" allow this client to access {API_ROOT} there, or pass what it requires with headers="
        )
    return ""


def hint_of_unreadable(content_type: str, base_path: str) -> str:
    """What to do about a successful response that is not from Dify."""
    if "html" not in content_type:
        return ""
    if base_path:
        return _base_path_hint(base_path)
    return "It is a web page: check that base_url is the address of Dify's API, without a login page in front"


def _base_path_hint(base_path: str) -> str:
    return (
        f"base_url has the path {base_path!r}: omit the path if it was copied from a browser;"
        f" a base_url ends before {API_ROOT}"
    )


def _redirect_hint(location: str, path: str, base_path: str) -> str:
    try:
        parts = urlsplit(location)
        is_web = bool(parts.hostname) and parts.scheme in {"", "http", "https"}
    except ValueError:
        return "check base_url"
    host = parts.netloc.rpartition("@")[2].lower()  # with the port, and the brackets of IPv6
    address = f"{parts.scheme or 'https'}://{host}" if is_web else ""
    # Only the same route on another host is Dify: a login page would receive the password.
    base, found, route = parts.path.partition(API_ROOT)
    if address and found and route.rstrip("/") == path.rstrip("/"):
        return f"it points to base_url={address + base.rstrip('/')!r}"
    if _CLOUDFLARE_ACCESS in parts.path:
        return (
            "it points to a login page of Cloudflare Access in front of Dify:"
            f" add a policy there that allows this client to access {API_ROOT}, or a service token that"
            " you pass with headers="
        )
    if address:
        return (
            f"it points to another page, on {address}: if that is a login page in front of Dify,"
            f" exempt {API_ROOT} from it"
        )
    return _base_path_hint(base_path) if base_path else "check base_url"
