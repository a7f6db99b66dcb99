"""What to do about an error answer: one sentence each, or nothing. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .urls import API_ROOT

if TYPE_CHECKING:
    from .wire import Reply

# In the 400s of nginx, Apache, and servers in Go.
_PLAIN_TEXT_TO_TLS: Final = re.compile(rb"plain HTTP request|speaking plain HTTP|HTTP request to an HTTPS")
_NO_CLIENT_CERTIFICATE: Final = re.compile(rb"No required SSL certificate|SSL certificate error")  # nginx
_SEARCHED: Final = 1000
# What firewalls, proxies and login pages refuse with; a gateway that fails says so by its status.
_REFUSALS: Final = frozenset({401, 403, 405, 406, 429, 503})
_CLOUDFLARE_ACCESS: Final = "/cdn-cgi/access/"


def hint_of(reply: Reply, code: str | None, path: str) -> str:
    """What to do about an error status; "" if the error says it all.

    Args:
        reply: The answer.
        code: Dify's error code; None if the body has none.
        path: The path of the call below /console/api.
    """
    if 300 <= reply.status < 400:
        return f"redirects are not followed; {_redirect_hint(reply, path)}"
    if code is not None:
        forbidden = reply.status == 403 and code == "forbidden"
        return "the account's role in the workspace does not allow it" if forbidden else ""
    is_page = "html" in (reply.headers.get("Content-Type") or "")
    return _hint_of_proxy(reply) or (_hint_of_page(reply) if is_page else "")


def _hint_of_proxy(reply: Reply) -> str:
    start = reply.body[:_SEARCHED]
    if reply.status == 400 and _PLAIN_TEXT_TO_TLS.search(start):
        return "the server speaks https there; let base_url begin with https://"
    if reply.status == 400 and _NO_CLIENT_CERTIFICATE.search(start):
        return "the server requires a client certificate; pass ssl=context after context.load_cert_chain(…)"
    if reply.status == 401 and (reply.headers.get("WWW-Authenticate") or "").lower().startswith("basic"):
        return (
            "a proxy in front of Dify asks for a user name and password (basic auth), not Dify itself:"
            f" exempt {API_ROOT} from it"
        )
    return ""


def _hint_of_page(reply: Reply) -> str:
    if reply.status in {404, 405} and reply.base_path:
        return _base_path_hint(reply.base_path)
    if reply.status == 404:
        return "no such route here, or the id is no UUID; base_url may lack a part of its path"
    if reply.status in _REFUSALS:
        return (
            "the answer is a web page, so it comes from a firewall, proxy or login page in front of Dify:"
            f" let this client through to {API_ROOT} there"
        )
    return ""


def hint_of_unreadable(content_type: str, base_path: str) -> str:
    """What to do about a successful answer that is not Dify's."""
    if "html" not in content_type:
        return ""
    if base_path:
        return _base_path_hint(base_path)
    return "it is a web page: is base_url the address of Dify's API, or is there a login page in front of it?"


def _base_path_hint(base_path: str) -> str:
    return (
        f"base_url has the path {base_path!r}: if it was copied from a browser, leave the path out;"
        f" what is right ends before {API_ROOT}"
    )


def _redirect_hint(reply: Reply, path: str) -> str:
    try:
        parts = urlsplit(reply.headers.get("Location") or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "check base_url"
    address = f"{parts.scheme or 'https'}://{host}{f':{port}' if port else ''}" if host else ""
    # Only the same route elsewhere is a server of Dify: a login page would get the password.
    base, found, route = parts.path.partition(API_ROOT)
    if address and found and route.rstrip("/") == path.rstrip("/"):
        return f"it points to base_url={address + base.rstrip('/')!r}"
    if _CLOUDFLARE_ACCESS in parts.path:
        return (
            "it points to a login page of Cloudflare Access in front of Dify:"
            f" add a policy there that lets this client through to {API_ROOT}"
        )
    if address:
        return (
            f"it points to another page, of {address}: if that is a login page in front of Dify,"
            f" exempt {API_ROOT} from it"
        )
    return _base_path_hint(reply.base_path) if reply.base_path else "check base_url"
