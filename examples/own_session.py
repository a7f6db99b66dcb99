"""Use the connector of an existing aiohttp session.

The session is not closed, and its cookies are neither sent nor changed.
Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio

import aiohttp

from dify_async import AsyncDifyServer


async def main() -> None:
    # Dify's server closes idle connections after 2 s: close them earlier.
    connector = aiohttp.TCPConnector(limit=20, keepalive_timeout=0.7)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with AsyncDifyServer.from_env(session=session) as dify:
            account = await dify.profile()
            print(f"{account.name} <{account.email}>, {account.timezone}")
        print(f"The session is {'closed' if session.closed else 'still open'}.")


if __name__ == "__main__":
    asyncio.run(main())
