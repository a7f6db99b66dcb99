"""A server process, and interleaved measurements of cost."""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp

from dify_async import AsyncDifyServer, MemoryTokenStore

Work = Callable[[], Awaitable[object]]
Figures = dict[str, float]  # by the names in `benchmarks.gates`


@dataclass(frozen=True)
class Effort:
    """The number of repetitions: for a measurement, or just to check that a case works."""

    rounds: int = 7
    calls: int = 2000
    scale: float = 1.0

    def sized(self, number: int) -> int:
        return max(1, round(number * self.scale))


FULL = Effort()
QUICK = Effort(rounds=3, calls=400, scale=0.3)


class Cost(NamedTuple):
    """CPU time of this process (user and system) and wall time, in seconds."""

    cpu: float
    wall: float


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Run a server, and yield its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def client(
    url: str, at_once: int, *, email: str = "owner@example.com", password: str = "secret"
) -> AsyncDifyServer:
    """A client with its own tokens in memory; any password does for the server above."""
    store = MemoryTokenStore()
    return AsyncDifyServer(url, email, password, max_concurrency=at_once, token_store=store)


@asynccontextmanager
async def counts_of(url: str) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """The counters of the server; reading them takes one connection."""
    async with aiohttp.ClientSession(url) as session:

        async def get() -> dict[str, int]:
            async with session.get("/console/api/counts") as answer:
                return dict(await answer.json())

        yield get


async def cost(work: Work) -> Cost:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


class Turns:
    """The costs of interleaved works, by round."""

    def __init__(self, rounds: list[dict[str, Cost]]) -> None:
        self._rounds = rounds

    def cpu(self, name: str) -> float:
        """The median CPU time."""
        return statistics.median(costs[name].cpu for costs in self._rounds)

    def ratio(self, one: str, other: str) -> float:
        """The ratio of the CPU times: the median over the rounds, as machines drift less in one."""
        return statistics.median(costs[one].cpu / costs[other].cpu for costs in self._rounds)

    def wall_ratio(self, one: str, other: str) -> float:
        """The ratio of the wall times."""
        return statistics.median(costs[one].wall / costs[other].wall for costs in self._rounds)


async def in_turns(works: Mapping[str, Work], rounds: int) -> Turns:
    """Interleave the works (A B, B A, …), since machines drift; the first round is a warm-up."""
    taken = []
    order = list(works)
    for _ in range(rounds + 1):
        taken.append({name: await cost(works[name]) for name in order})
        order.reverse()
    return Turns(taken[1:])


async def repeated(call: Callable[[int], Awaitable[object]], calls: int, at_once: int) -> None:
    """Make `calls` calls with `at_once` workers that share a counter."""
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            await call(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
