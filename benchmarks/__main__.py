"""Prints each figure with its goal and limit; with --check, exits with 1 if a limit is exceeded."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks.cases import calls, fewer_requests, others, processes, refreshes, shared, usage
from benchmarks.gates import GATES
from benchmarks.measure import FULL, QUICK, Effort, Figures

Case = Callable[[Effort], Awaitable[Figures]]
CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        calls.own_layer,
        calls.against_aiohttp,
        calls.with_new_urls,
        calls.pages,
        calls.eras,
        calls.decoding,
        calls.queued,
        others.other_libraries,
        refreshes.refreshes,
        refreshes.gunicorn,
        fewer_requests.idle_apps,
        fewer_requests.server_model,
        shared.shared_feeds,
        shared.takeover,
        processes.memory,
        processes.imports,
        processes.dashboards,
        usage.usage,
    )
}
LIBRARIES = ("aiohttp", "msgspec", "httpx", "httpx2", "niquests", "requests", "pydantic")


async def measured(names: list[str], effort: Effort) -> Figures:
    figures: Figures = {}
    for name in names:
        figures |= await CASES[name](effort)
        print(f"{name}: done", file=sys.stderr)
    return figures


def table_of(figures: Figures) -> Table:
    table = Table(title=machine())
    for heading in ("figure", "measured", "goal", "limit", ""):
        table.add_column(heading, justify="left" if heading in {"figure", ""} else "right")
    for name, value in figures.items():
        gate = GATES[name]
        sign = "≥" if gate.more_is_better else "≤"
        verdict = "" if gate.holds(value) else "LIMIT EXCEEDED"
        table.add_row(
            name, f"{value:.2f} {gate.unit}", f"{sign} {gate.goal:g}", f"{sign} {gate.limit:g}", verdict
        )
    return table


def machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()},"
        f" {os.cpu_count()} cores; {libraries}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"only these of {', '.join(CASES)}")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a limit is exceeded")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    figures = asyncio.run(measured(arguments.cases or list(CASES), QUICK if arguments.quick else FULL))
    Console().print(table_of(figures))
    past = [name for name, value in figures.items() if not GATES[name].holds(value)]
    return 1 if past and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
