"""Give every app an API key, and write them down for a deployment.

Writes lines "APP_ID=KEY" to the file named by the first argument, readable by its owner alone.
Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD. Safe to run again: an app that has a key keeps it.
"""

import asyncio
import sys
from pathlib import Path

from dify_async import AsyncDifyServer, DifyStatusError


async def ensured_keys() -> tuple[list[str], int]:
    """The lines to write, and how many apps have none."""
    lines, failed = [], 0
    async with AsyncDifyServer.from_env() as dify:
        async for app in dify.iter_apps():
            try:
                key = await dify.ensure_app_api_key(app.id)
            except DifyStatusError as error:
                failed += 1
                print(f"{app.name}: {error}", file=sys.stderr)
            else:
                lines.append(f"{app.id}={key.token}\n")
                print(f"{app.name}: key {key.id}")
    return lines, failed


def main(target: Path) -> int:
    lines, failed = asyncio.run(ensured_keys())
    target.touch(mode=0o600)
    target.write_text("".join(lines), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: provision_api_keys.py FILE")
    sys.exit(main(Path(sys.argv[1])))
