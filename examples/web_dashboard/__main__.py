"""A web page of all apps: totals with their changes, charts and a table, filling in as answers come.

    python examples/web_dashboard
    python examples/web_dashboard --port 8000

Without DIFY_BASE_URL in the environment it serves a fake console to itself, so it needs no account;
with DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD it shows a real one.

It has no login of its own, so it listens on loopback. To let others in, put a proxy before it that asks
who they are (nginx with auth_request or auth_basic, oauth2-proxy, Caddy with forward_auth), and name the
host under which the proxy serves it: --name dashboard.example.com
"""

import argparse
import sys

from aiohttp import web
from app import make_app

from dify_async import DifyConfigError


def main() -> int:
    as_it_is = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_it_is)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one; 8000")
    parser.add_argument("--name", action="append", default=[], help="a host name of a proxy before it")
    arguments = parser.parse_args()
    app = make_app(names=map(str.lower, arguments.name))
    try:
        # Who leaves the page ends what was asked for it. After SIGTERM, streams have half a second to end,
        # and as long once they are cancelled.
        web.run_app(
            app, host=arguments.host, port=arguments.port, handler_cancellation=True, shutdown_timeout=0.5
        )
    except (DifyConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
