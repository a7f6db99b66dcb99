"""Share one sign-in between processes and restarts: tokens in Redis.

Reads DIFY_BASE_URL, DIFY_EMAIL, DIFY_PASSWORD, and the Redis URL in DIFY_REDIS_URL.
With DIFY_REDIS_URL in the environment, AsyncDifyServer.from_env() alone does the same.
"""

import asyncio
import os

from redis.asyncio import Redis

from dify_async import AsyncDifyServer, RedisTokenStore


async def main() -> None:
    # A client of the application; a URL in its place works too, and a cluster's client.
    async with Redis.from_url(os.environ["DIFY_REDIS_URL"]) as redis:
        store = RedisTokenStore(redis, prefix="my-service:dify:")
        for run in ("The first run signs in", "the second finds its tokens"):
            async with AsyncDifyServer.from_env(token_store=store) as dify:
                account = await dify.profile()
                print(f"{run}: {account.email}")


if __name__ == "__main__":
    asyncio.run(main())
