"""Share tokens between processes and restarts in Redis: only the first process signs in.

Reads DIFY_BASE_URL, DIFY_EMAIL, DIFY_PASSWORD, and the Redis URL in DIFY_REDIS_URL.
With DIFY_REDIS_URL set, AsyncDifyServer.from_env() without a token_store does the same.
"""

import asyncio
import os

from redis.asyncio import Redis

from dify_async import AsyncDifyServer, RedisTokenStore


async def main() -> None:
    # The application's Redis client; a URL or a cluster client works too.
    async with Redis.from_url(os.environ["DIFY_REDIS_URL"]) as redis:
        store = RedisTokenStore(redis, prefix="my-service:dify:")
        for run in ("The first run signs in", "the second run reuses the tokens"):
            async with AsyncDifyServer.from_env(token_store=store) as dify:
                account = await dify.profile()
                print(f"{run}: {account.email}")


if __name__ == "__main__":
    asyncio.run(main())
