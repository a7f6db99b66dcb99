"""`python -m tests.soak [--seconds 60]`: prints counts; exit code 1 if a promise is broken."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.soak.run import Plan, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=Plan.seconds)
    parser.add_argument("--processes", type=int, default=Plan.processes)
    parser.add_argument("--tasks", type=int, default=Plan.tasks)
    arguments = parser.parse_args()
    plan = Plan(processes=arguments.processes, tasks=arguments.tasks, seconds=arguments.seconds)
    result = asyncio.run(soak(plan))
    broken = result.broken()
    print(*result.lines(), *(f"BROKEN: {promise}" for promise in broken), sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
