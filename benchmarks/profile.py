"""Profiles the time and memory of 10,000 calls: `python -m benchmarks.profile`."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

from benchmarks.contenders.on_aiohttp import Ours
from benchmarks.measure import repeated, server

CALLS = 10_000
_LIBRARIES = ("dify_async", "aiohttp", "msgspec", "asyncio", "yarl", "multidict")


async def main() -> None:
    with server() as url:
        async with Ours(url) as ours:
            await repeated(ours.call, 100, 8)
            profiler = cProfile.Profile()
            profiler.enable()
            await repeated(ours.call, CALLS, 8)
            profiler.disable()
            print_times(pstats.Stats(profiler))
            tracemalloc.start()
            await repeated(ours.call, 100, 8)
            before, _ = tracemalloc.get_traced_memory()
            first = tracemalloc.take_snapshot()
            await repeated(ours.call, CALLS, 8)
            after, peak = tracemalloc.get_traced_memory()
            print(f"memory: {after - before:+,} bytes after {CALLS:,} calls, {peak - before:+,} at most")
            for line in tracemalloc.take_snapshot().compare_to(first, "filename")[:5]:
                print(f"  {line.size_diff:+9,} bytes  {_library(line.traceback[0].filename)}")


def print_times(stats: pstats.Stats) -> None:
    """Own time of all frames by library, including the profiler's overhead."""
    own: Counter[str] = Counter()
    for (filename, _, name), (_, _, seconds, _, _) in stats.stats.items():  # type: ignore[attr-defined]  # not in its types
        own[_library(filename if filename != "~" else name)] += seconds
    total = own.total()
    print(f"time of {CALLS:,} calls under the profiler: {total:.2f} s")
    for library, seconds in own.most_common(8):
        print(f"  {seconds / total:6.1%}  {seconds / CALLS * 1e6:6.1f} µs per call  {library}")


def _library(where: str) -> str:
    parts = Path(where).parts
    found = next((name for name in _LIBRARIES if name in parts or name in where), None)
    return found or ("the rest of Python" if "<" in where or "lib" in parts else "the benchmark")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
