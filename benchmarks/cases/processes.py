"""Measurements in separate processes: memory, imports, and the dashboard of a large workspace."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.measure import Effort, Figures, server

_MEMORY = """
import asyncio, json, sys, tracemalloc
from dify_async import AsyncDifyServer, MemoryTokenStore

async def main(url, is_kept):
    store = MemoryTokenStore()
    async with AsyncDifyServer(url, "owner@example.com", "secret", token_store=store) as dify:
        await dify.apps_page(limit=100)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        if is_kept:
            apps = await dify.apps()
            print(json.dumps([len(apps), tracemalloc.get_traced_memory()[0] - before]))
        else:
            number = 0
            async for app in dify.iter_apps():
                number += 1
            print(json.dumps([number, tracemalloc.get_traced_memory()[1] - before]))

asyncio.run(main(sys.argv[1], sys.argv[2] == "kept"))
"""

_DASHBOARD = """
import asyncio, json, resource, sys, time
from dify_async import AsyncDifyServer, MemoryTokenStore
from benchmarks.bodies import END, START

async def main(url):
    store = MemoryTokenStore()
    async with AsyncDifyServer(
        url, "owner@example.com", "secret", token_store=store, max_concurrency=64
    ) as dify:
        await dify.profile()
        started = time.perf_counter()
        dashboard = await dify.dashboard(START, END)
        wall = time.perf_counter() - started
        number = len(dashboard.apps)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        del dashboard
        async with dify.stream_dashboard(START, END) as updates:
            started = time.perf_counter()
            await anext(updates)
            first = time.perf_counter() - started
    print(json.dumps([number, wall, peak * (1 if sys.platform == "darwin" else 1024), first]))

asyncio.run(main(sys.argv[1]))
"""

_IMPORT = """
import json, sys, time
begun = time.process_time()
import {first}
started = time.process_time()
import {second}
ended = time.process_time()
optional = {{"redis", "pydantic", "cryptography"}}
print(json.dumps([ended - started, (ended - begun) / (started - begun), len(optional & set(sys.modules))]))
"""


async def memory(effort: Effort) -> Figures:
    """10,000 apps, as a list and page by page."""
    apps = effort.sized(10_000)
    with server("--apps", str(apps)) as url:
        number, kept = await _run(_MEMORY, url, "kept")
        _, passing = await _run(_MEMORY, url, "passing")
    return {"10,000 apps, kept": kept / number / 1e3, "10,000 apps, page by page": passing / 1e6}


async def dashboards(effort: Effort) -> Figures:
    """1,000 apps, 7 statistics, 90 days, 20 ms per answer."""
    apps = effort.sized(1000)
    with server("--latency", "20", "--apps", str(apps)) as url:
        runs = [await _run(_DASHBOARD, url) for _ in range(effort.sized(3))]
    ideal = -(-apps * 7 // 64) * 0.020
    return {
        "dashboard of 1,000 x 7 x 90 at 20 ms, 64 at once / ideal": statistics.median(
            wall for _, wall, _, _ in runs
        )
        / ideal,
        "dashboard of 1,000 apps, process": max(peak for _, _, peak, _ in runs) / 1e6,
        "dashboard of 1,000 apps, first app": statistics.median(first for *_, first in runs) / 0.020,
    }


async def imports(effort: Effort) -> Figures:
    """The time of `import dify_async` after aiohttp and msgspec are imported."""
    script = _IMPORT.format(first="aiohttp, msgspec", second="dify_async")
    await _run(script)  # compiles the modules
    runs = [await _run(script) for _ in range(effort.rounds)]
    return {
        "import, over aiohttp and msgspec": statistics.median(seconds for seconds, _, _ in runs) * 1e3,
        "import / aiohttp and msgspec": statistics.median(ratio for _, ratio, _ in runs),
        "redis, pydantic, cryptography imported": max(modules for _, _, modules in runs),
    }


async def _run(script: str, *arguments: str) -> Any:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, stdout=subprocess.PIPE, env=environment
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the measured process ended with {process.returncode}")
    return json.loads(output)
