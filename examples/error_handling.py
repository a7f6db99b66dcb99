"""Handle the errors of a program that reads the statistics of apps. It changes nothing on the server.

Without DIFY_BASE_URL in the environment it runs against a fake server and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyConnectionError,
    DifyError,
    DifyLoginError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyRateLimitError,
)
from dify_async.testing import FakeDifyServer

UNKNOWN_APP = "00000000-0000-4000-8000-000000000000"


async def messages(dify: AsyncDifyServer, app_id: str) -> str:
    """The number of messages, or why it is unknown."""
    try:
        rows = await dify.daily_messages(app_id)
    except DifyNotFoundError as error:
        # Error codes are stable; messages change between versions.
        return "the app does not exist" if error.code == "app_not_found" else error.message
    except DifyPermissionError:
        return "the account may not read the app's statistics"
    except DifyRateLimitError as error:
        # Raised after the last attempt, or if the server asks for a long wait.
        return f"too many requests; try again in {error.retry_after or 60:.0f} s"
    return f"{sum(row.message_count for row in rows)} messages"


async def main() -> int:
    try:
        async with AsyncExitStack() as stack:
            if os.environ.get("DIFY_BASE_URL"):
                dify = AsyncDifyServer.from_env()
            else:
                fake = await stack.enter_async_context(FakeDifyServer())
                dify = fake.client()
            await stack.enter_async_context(dify)
            for app_id in (UNKNOWN_APP, *[app.id for app in await dify.apps()][:3]):
                print(f"{app_id}: {await messages(dify, app_id)}")
    except DifyConfigError as error:
        print(f"Wrong settings: {error}", file=sys.stderr)
    except DifyLoginError as error:
        # Not retried: six wrong passwords lock the account for a day.
        print(f"Login failed: {error}", file=sys.stderr)
    except DifyConnectionError as error:
        print(f"Connection failed: {error}", file=sys.stderr)
    except DifyError as error:
        print(f"Request failed: {error}", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
