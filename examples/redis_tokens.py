"""Share tokens between processes and restarts in Redis: only the first process signs in.

Reads DIFY_BASE_URL, DIFY_EMAIL, DIFY_PASSWORD, and the Redis URL in DIFY_REDIS_URL.
With DIFY_REDIS_URL set, AsyncDifyServer.from_env() without a token_store does the same.
"""

import asyncio
import os
import sys

from redis.asyncio import Redis

from dify_async import AsyncDifyServer, RedisTokenStore


async def main(url: str) -> None:
    # The application's Redis client; a URL or a cluster client works too.
    async with Redis.from_url(url) as redis:
        store = RedisTokenStore(redis, prefix="my-service:dify:")
        for run in ("The first run signs in", "the second run reuses the tokens"):
            async with AsyncDifyServer.from_env(token_store=store) as dify:
                account = await dify.profile()
                print(f"{run}: {account.email}")


if __name__ == "__main__":
    if not os.environ.get("DIFY_REDIS_URL"):
        sys.exit("Set DIFY_REDIS_URL to the URL of a Redis server, such as redis://localhost:6379/0.")
    asyncio.run(main(os.environ["DIFY_REDIS_URL"]))
