"""Back up the definition of every app, one file per app; files are written atomically.

    python examples/backup_apps.py backup

Later runs fetch only apps that have changed, and apps with a workflow.

Without DIFY_BASE_URL in the environment it runs against a fake console and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer


async def main(folder: Path) -> int:
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        await stack.enter_async_context(dify)
        apps = await dify.apps()
        results = await dify.export_apps(apps, folder, progress=show)
    failed = [result for result in results if result.error is not None]
    for result in failed:
        print(f"{result.app_id}: {result.error}")
    print(f"{len(results) - len(failed)} of {len(results)} apps are in {folder}")
    return 1 if failed else 0


def show(done: int, of: int) -> None:
    print(f"\r{done}/{of}", end="\n" if done == of else "", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    sys.exit(asyncio.run(main(parser.parse_args().folder)))
