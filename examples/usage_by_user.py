"""Tokens and costs per user and model, as a table or as CSV files.

    python examples/usage_by_user.py
    python examples/usage_by_user.py --folder usage

With --folder, each run writes a file with what is new since the last run, such as every night. The file
mark.json says when that run ended.

Without DIFY_BASE_URL in the environment it runs against a fake server and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from dify_async import AsyncDifyServer, Usage, UsageDimension, UsageMark, UsageRow
from dify_async.testing import FakeDifyServer


async def main(folder: Path | None, days: int) -> int:
    mark = folder / "mark.json" if folder else None
    since = UsageMark.from_json(mark.read_text(encoding="utf-8")) if mark and mark.exists() else None
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        await stack.enter_async_context(dify)
        by: tuple[UsageDimension, ...] = ("day", "user", "account", "model")
        usage = await dify.usage(days=None if since else days, by=by, since=since, progress=show)
    print(file=sys.stderr)
    if folder and mark:
        print(f"{len(usage.rows)} rows are in {save(folder, mark, usage)}")
    else:
        report(usage)
    for failed in usage.errors:
        print(f"{failed.app_name}: {failed.error}", file=sys.stderr)
    return 1 if usage.errors else 0


def save(folder: Path, mark: Path, usage: Usage) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.csv"
    usage.to_csv(file)
    mark.write_text(usage.mark.to_json(), encoding="utf-8")
    return file


def report(usage: Usage) -> None:
    users: dict[tuple[str, str], list[UsageRow]] = {}
    for row in usage.rows:
        name = row.user or f"{row.account} (console)"
        users.setdefault((name, row.model or "unknown"), []).append(row)
    print(f"{'user':24} {'model':16} {'tokens':>10} {'USD':>12}")
    for (name, model), rows in sorted(users.items(), key=lambda pair: -price(pair[1])):
        print(f"{name:24.24} {model:16.16} {sum(row.total_tokens for row in rows):10} {price(rows):12.7f}")
    # Per app and day: what only the statistics have is positive, and what only the rows have is negative.
    for title, sign in (("only in Dify's statistics", 1), ("only in these rows", -1)):
        tokens = sum(max(sign * row.total_tokens, 0) for row in usage.unexplained)
        cost = sum((max(sign * price([row]), Decimal(0)) for row in usage.unexplained), Decimal(0))
        print(f"{title:41} {tokens:10} {cost:12.7f}")


def price(rows: Iterable[UsageRow]) -> Decimal:
    return sum((row.cost.get("USD", Decimal(0)) for row in rows), Decimal(0))


def show(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="write CSV files here instead of printing a table")
    parser.add_argument("--days", type=int, default=7, help="days in the first report (default: 7)")
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.folder, options.days)))
