"""The application: its routes, and what they share."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from . import access, conversations, numbers, usage
from .problems import report_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async.client import AsyncDifyServer

_PAGE: Final = web.AppKey("page", str)
_STATIC: Final = Path(__file__).parent / "static"
_TEMPLATE: Final = (_STATIC / "index.html").read_text(encoding="utf-8")


def create_app(
    dify: AsyncDifyServer, *, hosts: Iterable[str] = (), token: str | None = None, demo: bool = False
) -> web.Application:
    """A web page with the numbers of all apps, to run alone or under a prefix of another application.

    `web.run_app(create_app(dify))` runs it alone; `service.add_subapp("/dify/", create_app(dify))` mounts
    it. The page never changes anything in Dify. It requests nothing from other hosts.

    Requests must be addressed to an IP address, to localhost or to one of `hosts`: a name that another
    site lets resolve to this machine (DNS rebinding) is rejected. Without a token, everyone who can connect
    can read the page, so listen on loopback, or put it behind a proxy or an application that logs users in.

    Args:
        dify: The client, open whenever a request arrives. The page does not close it.
        hosts: Host names under which the page is reached, such as "dashboard.example.com".
        token: A secret of at least 16 characters that the page then requires. Open
            `https://<host>/#token=<token>` once per browser, which stores a cookie; programs send
            `Authorization: Bearer <token>`.
        demo: Whether the page shows a badge that says that its numbers are not real.

    Raises:
        DifyConfigError: An argument is wrong.
    """
    check = None if token is None else access.TokenCheck(token)
    checks = [access.check_host(hosts), *([check.middleware] if check else [])]
    app = web.Application(middlewares=[*checks, report_problems])
    app[numbers.NUMBERS] = numbers.Numbers(dify)
    app[conversations.CLIENT] = dify
    app[_PAGE] = _page(dify.base_url, demo=demo)
    # Before the server waits for its connections to end, unlike on_cleanup.
    app.on_shutdown.append(numbers.close)
    app.on_response_prepare.append(access.add_headers)
    app.router.add_get("/", _show_page, name=access.PAGE_ROUTE)
    # After "/": alone, both match it; mounted, this is the bare prefix.
    app.router.add_get("", _add_slash)
    app.router.add_static("/static", _STATIC, name=access.STATIC_ROUTE)
    if check is not None:
        app.router.add_post("/token", check.log_in, name=access.LOGIN_ROUTE)
    app.router.add_routes(numbers.ROUTES)
    app.router.add_routes(conversations.ROUTES)
    app.router.add_routes(usage.ROUTES)
    return app


async def _add_slash(request: web.Request) -> web.Response:
    # Relative, so that it is right behind a proxy that changes the path.
    query = f"?{request.query_string}" if request.query_string else ""
    raise web.HTTPFound(f"{request.path.rpartition('/')[2]}/{query}")


async def _show_page(request: web.Request) -> web.Response:
    return web.Response(text=request.app[_PAGE], content_type="text/html")


def _page(console: str, *, demo: bool) -> str:
    settings = f'data-console="{html.escape(console)}"{" data-demo" if demo else ""}'
    return _TEMPLATE.replace("<body>", f"<body {settings}>", 1)
