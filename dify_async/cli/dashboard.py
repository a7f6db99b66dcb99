"""`dify-async dashboard`: the web page."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from typing import Final

from dify_async._secrets import masked
from dify_async.client import AsyncDifyServer
from dify_async.web import create_app
from dify_async.web.access import TokenCheck

from .connection import Connection
from .console import OK, naming
from .serving import Names, Port, checked, listen, serve, url_of

_TOKEN_VARIABLE: Final = "DIFY_DASHBOARD_TOKEN"  # noqa: S105 - the name of the variable


def dashboard(
    *,
    port: Port = 8000,
    host: str = "127.0.0.1",
    name: Names = None,
    connection: Connection = Connection(),
) -> int:
    """Serve a web page with the costs, statistics and conversations of all apps.

    Only this machine can open the page by default. For colleagues, pass --host 0.0.0.0 and give them the
    link that the command prints: it has a token that the page requires. Set DIFY_DASHBOARD_TOKEN to keep the
    token the same (at least 16 characters). The link is not encrypted unless a proxy adds https.

    Args:
        port: The port; 0 for a free one.
        host: The address to listen on; 0.0.0.0 for all.
        name: A host name under which the page is opened, such as that of a proxy. Give it once per name. IP
            addresses, localhost and the name of this machine always work.
        connection: The server.
    """
    token = _token(host)
    own_name = socket.gethostname()
    hosts = [*checked(name), *([] if _is_loopback(host) else [own_name])]

    async def task(dify: AsyncDifyServer) -> int:
        app = create_app(dify, hosts=hosts, token=token, demo=connection.demo)
        url = url_of(listener)
        if _is_any(host):
            url = f"http://{own_name}:{listener.getsockname()[1]}"
        link = f"{url}/" if token is None else f"{url}/#token={token}"
        await serve(app, listener, f"Dashboard at {link}")
        return OK

    with connection.client() as client, listen(host, port) as listener:
        return client.run(task)


def _token(host: str) -> str | None:
    token = masked(os.environ.get(_TOKEN_VARIABLE) or None)
    if token is None:
        return None if _is_loopback(host) else masked(secrets.token_urlsafe(24))
    with naming(_TOKEN_VARIABLE):
        TokenCheck(token)
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
