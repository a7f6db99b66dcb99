"""Ensure that every app has an API key, and write the keys to a file for a deployment.

Writes lines "APP_ID=KEY" to the file; only its owner can read it. Existing keys are kept, and so are the
lines of apps that fail. With --rotate, each app gets a new key, and its old keys are deleted.
Reads DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from dify_async import AsyncDifyServer


async def fetch_keys(*, rotate: bool) -> tuple[dict[str, str], list[str]]:
    """The keys by app id, and the ids of apps that failed."""
    keys: dict[str, str] = {}
    failed: list[str] = []
    async with AsyncDifyServer.from_env() as dify:
        apps = await dify.apps()
        names = {app.id: app.name for app in apps}
        change = dify.rotate_app_api_keys if rotate else dify.ensure_app_api_keys
        for result in await change(apps):
            key = result.value
            if result.error is not None:
                # The new key, if an old one could not be deleted.
                key = result.error.created_key
                failed.append(result.app_id)
                print(f"{names[result.app_id]}: {result.error}", file=sys.stderr)
            if key is not None:
                keys[result.app_id] = key.token
                print(f"{names[result.app_id]}: key {key.id}")
    return keys, failed


def main(target: Path, *, rotate: bool) -> int:
    keys, failed = asyncio.run(fetch_keys(rotate=rotate))
    lines = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    written = dict(line.split("=", 1) for line in lines if "=" in line)
    keys = {app: written[app] for app in failed if app in written} | keys
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text("".join(f"{app}={key}\n" for app, key in keys.items()), encoding="utf-8")
    new.replace(target)
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rotate", action="store_true", help="replace all keys by new ones")
    arguments = parser.parse_args()
    sys.exit(main(arguments.file, rotate=arguments.rotate))
