"""Handle the errors of a program that creates an API key.

Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import sys

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyConnectionError,
    DifyError,
    DifyLoginError,
    DifyNotFoundError,
    DifyUnknownOutcomeError,
    DifyValidationError,
)


async def new_key(dify: AsyncDifyServer, app_id: str) -> str:
    """The id of a new API key, or why there is none."""
    try:
        (key,) = await dify.init_app_api_key(app_id)
    except DifyNotFoundError:
        return "the app does not exist"
    except DifyValidationError as error:
        # Error codes are stable; messages change between versions.
        return "the app already has 10 keys" if error.code == "max_keys_exceeded" else error.message
    except DifyUnknownOutcomeError:
        # The request was sent but the answer was lost. It is not retried: check the list.
        return f"one of {len(await dify.get_app_api_key(app_id))} keys may be new"
    return key.id


async def main() -> int:
    try:
        async with AsyncDifyServer.from_env() as dify:
            for app_id in ("00000000-0000-4000-8000-000000000000", (await dify.apps())[0].id):
                print(f"{app_id}: {await new_key(dify, app_id)}")
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
