"""Use the connector of an existing aiohttp session.

The session is not closed, and its cookies are neither sent nor changed. Without DIFY_BASE_URL in the
environment it runs against a fake server and needs no account. To use a real one, set DIFY_BASE_URL,
DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import os
from contextlib import AsyncExitStack

import aiohttp

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer


async def main() -> None:
    # Dify's server closes idle connections after 2 s: close them earlier.
    connector = aiohttp.TCPConnector(limit=20, keepalive_timeout=0.7)
    async with aiohttp.ClientSession(connector=connector) as session, AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env(session=session)
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = fake.client(session=session)
        async with dify:
            account = await dify.profile()
            print(f"{account.name} <{account.email}>, {account.timezone}")
        print(f"The session is {'closed' if session.closed else 'still open'}.")


if __name__ == "__main__":
    asyncio.run(main())
