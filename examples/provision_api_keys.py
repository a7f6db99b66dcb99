"""Ensure that every app has an API key, and write the keys to a file for a deployment.

Writes lines "APP_ID=KEY" to the file in the first argument; only its owner can read it. Existing keys are
kept, and so are the lines of apps that fail.
Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import sys
from pathlib import Path

from dify_async import AsyncDifyServer


async def ensure_keys() -> tuple[dict[str, str], list[str]]:
    """The keys by app id, and the ids of apps that failed."""
    keys: dict[str, str] = {}
    failed: list[str] = []
    async with AsyncDifyServer.from_env() as dify:
        apps = await dify.apps()
        names = {app.id: app.name for app in apps}
        for result in await dify.ensure_app_api_keys(apps):
            if result.value is None:
                failed.append(result.app_id)
                print(f"{names[result.app_id]}: {result.error}", file=sys.stderr)
            else:
                keys[result.app_id] = result.value.token
                print(f"{names[result.app_id]}: key {result.value.id}")
    return keys, failed


def main(target: Path) -> int:
    keys, failed = asyncio.run(ensure_keys())
    lines = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    written = dict(line.split("=", 1) for line in lines if "=" in line)
    keys |= {app: written[app] for app in failed if app in written}
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text("".join(f"{app}={key}\n" for app, key in keys.items()), encoding="utf-8")
    new.replace(target)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: provision_api_keys.py FILE")
    sys.exit(main(Path(sys.argv[1])))
