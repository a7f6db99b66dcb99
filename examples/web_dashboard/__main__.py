"""Serve a web page with the numbers of all apps: totals, charts and a table, filled as answers arrive.

    python examples/web_dashboard
    python examples/web_dashboard --port 8000

Without DIFY_BASE_URL in the environment it runs against a fake console and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.

It listens on loopback only, since it has no login. For other users, use a proxy with authentication (nginx
with auth_request or auth_basic, oauth2-proxy, Caddy with forward_auth), and pass the proxy's host name:
--name dashboard.example.com
"""

import argparse
import sys

from aiohttp import web
from app import make_app

from dify_async import DifyConfigError


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free port; default: 8000")
    parser.add_argument("--name", action="append", default=[], help="the host name of a proxy; repeatable")
    arguments = parser.parse_args()
    app = make_app(names=map(str.lower, arguments.name))
    try:
        # Closing the page cancels its requests. After SIGTERM, streams have half a second to finish, and
        # another half after cancellation.
        web.run_app(
            app, host=arguments.host, port=arguments.port, handler_cancellation=True, shutdown_timeout=0.5
        )
    except (DifyConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
