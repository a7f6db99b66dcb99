"""Print the daily tokens and costs of every chat app.

Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
from datetime import datetime

from dify_async import AsyncDifyServer


async def main() -> None:
    async with AsyncDifyServer.from_env() as dify:
        for app in await dify.apps(mode="chat"):
            print(f"{app.name} ({app.id})")
            # Naive datetimes are in the account's time zone; without an end, until now.
            for day in await dify.token_costs(app.id, datetime(2026, 1, 1)):
                print(f"{day.date}  {day.token_count:>10} tokens  {day.total_price or 0:.4f} {day.currency}")


if __name__ == "__main__":
    asyncio.run(main())
