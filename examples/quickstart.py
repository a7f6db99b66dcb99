"""Print the daily tokens and costs of every chat app.

Without DIFY_BASE_URL in the environment it runs against a fake server and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import datetime

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer


async def main() -> None:
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = fake.client()
        await stack.enter_async_context(dify)
        for app in await dify.apps(mode="chat"):
            print(f"{app.name} ({app.id})")
            # Naive datetimes are in the account's time zone; without an end, until now.
            for day in await dify.token_costs(app.id, datetime(2026, 1, 1)):
                print(f"{day.date}  {day.token_count:>10} tokens  {day.total_price or 0:.4f} {day.currency}")


if __name__ == "__main__":
    asyncio.run(main())
