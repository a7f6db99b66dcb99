"""The wall time of many statistics at once."""

from __future__ import annotations

import math
import statistics
from functools import partial

from benchmarks.bodies import END, START
from benchmarks.measure import Effort, Figures, Work, client, cost, counts_of, in_turns, repeated, server

_METRICS = 7
_LATENCY = 0.020


async def refreshes(effort: Effort) -> Figures:
    """50 apps and 7 statistics at 20 ms per answer, against the shortest possible time."""
    from benchmarks.contenders.with_pydantic import Httpx  # noqa: PLC0415 - it takes long to import

    figures: Figures = {}
    apps = effort.sized(50)
    with server("--latency", "20", "--apps", str(apps)) as url:
        async with counts_of(url) as counts:
            for at_once in (16, 64, 100):
                ideal = math.ceil(apps * _METRICS / at_once) * _LATENCY
                async with client(url, at_once) as dify:
                    found = await dify.apps()
                    before = (await counts())["connections"]
                    opened = []
                    walls = []
                    for _ in range(max(2, min(5, effort.rounds))):
                        walls.append((await cost(partial(dify.statistics_many, found, START, END))).wall)
                        opened.append((await counts())["connections"] - before)
                figures[f"refresh of 50 x 7 at 20 ms, {at_once} at once / ideal"] = (
                    statistics.median(walls) / ideal
                )
                if at_once == 16:
                    # The list of apps has opened one.
                    figures["connections of the first refresh, 16 at once"] = opened[0] + 1
                    figures["connections of the next four"] = opened[-1] - opened[0]
        async with client(url, 64) as dify, Httpx(url) as httpx:
            found = await dify.apps()
            works: dict[str, Work] = {
                "ours": partial(dify.statistics_many, found, START, END),
                "httpx": partial(repeated, httpx.call, apps * _METRICS, 64),
            }
            costs = await in_turns(works, min(3, effort.rounds))
        figures["refresh by httpx + pydantic / ours, 64 at once, wall"] = costs.wall_ratio("httpx", "ours")
    return figures


async def gunicorn(effort: Effort) -> Figures:
    """Default options against the best fixed limit, with a server that behaves like Dify's worker."""
    rounds = max(1, effort.sized(3))
    with server("--gunicorn", "--apps", str(effort.sized(32))) as url:
        async with client(url, 4) as dify:
            found = await dify.apps()
        walls = {}
        for at_once in (2, 4, 6, 8, 9):
            async with client(url, at_once) as dify:
                runs = [
                    (await cost(partial(dify.statistics_many, found, START, END))).wall for _ in range(rounds)
                ]
            walls[at_once] = statistics.median(runs)
    return {"32 apps from a gunicorn worker / best fixed limit": walls[8] / min(walls.values())}
