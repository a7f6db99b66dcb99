"""Give every app an API key, and write them down for a deployment.

Writes lines "APP_ID=KEY" to the file named by the first argument, readable by its owner alone.
Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD. Safe to run again: an app that has a key keeps it.
"""

import asyncio
import sys
from pathlib import Path

from dify_async import AsyncDifyServer


async def ensured_keys() -> tuple[list[str], int]:
    """The lines to write, and how many apps have none."""
    lines: list[str] = []
    failed = 0
    async with AsyncDifyServer.from_env() as dify:
        apps = await dify.apps()
        names = {app.id: app.name for app in apps}
        for result in await dify.ensure_app_api_keys(apps):
            if result.value is None:
                failed += 1
                print(f"{names[result.app_id]}: {result.error}", file=sys.stderr)
            else:
                lines.append(f"{result.app_id}={result.value.token}\n")
                print(f"{names[result.app_id]}: key {result.value.id}")
    return lines, failed


def main(target: Path) -> int:
    lines, failed = asyncio.run(ensured_keys())
    target.touch(mode=0o600)
    target.chmod(0o600)  # it may have been there before
    target.write_text("".join(lines), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: provision_api_keys.py FILE")
    sys.exit(main(Path(sys.argv[1])))
