"""One process of the soak: many tasks that call, and check what they get."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sys
import time
from collections import Counter

import anyio
import msgspec

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyServerError,
    DifyUnknownOutcomeError,
    RedisTokenStore,
    RetryPolicy,
)

# A GET fails where all its attempts do: at 7 % of faults, once in two billion calls.
_RETRY = RetryPolicy(attempts=8, base_delay=0.05, max_delay=0.5)
_KEPT_TEXTS = 5
# Connections come and go: a few more in one look than in another are no growth.
_MOMENTARY = 8


class Order(msgspec.Struct):
    """What a process is to do."""

    base_url: str
    email: str
    password: str
    redis_url: str
    apps: list[str]
    seconds: float


class Report(msgspec.Struct):
    """What a process saw.

    Attributes:
        calls: By what they asked for.
        cancelled: Calls that were given up on purpose.
        had_to_fail: Changes whose answer was lost or that a server's fault refused, by error.
        failed: Calls that should not have failed: how many, and the first texts.
        grown_kib: By how much the peak of memory rose once the process had settled.
        tasks_grown: By how much the tasks at once were more at the end than once it had settled.
        files_grown: The same of open files, and so of connections.
        tasks_left: Tasks beside the main one after the client was closed.
        files_left: Open files more than before the client was opened.
    """

    calls: dict[str, int] = {}
    cancelled: int = 0
    had_to_fail: dict[str, int] = {}
    failed: int = 0
    texts: list[str] = []
    grown_kib: int = 0
    tasks_grown: int = 0
    files_grown: int = 0
    tasks_left: int = 0
    files_left: int = 0


class Worker:
    """The calls of one process."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._left: set[str] = set()
        self._end = 0.0
        calls, had_to_fail = self._calls, self._had_to_fail = Counter[str](), Counter[str]()
        self.report = Report(calls=calls, had_to_fail=had_to_fail)

    async def run(self) -> None:
        files = _open_files()
        order = self._order
        store = RedisTokenStore(order.redis_url)
        dify = AsyncDifyServer(
            order.base_url, order.email, order.password, token_store=store, retry=_RETRY, max_concurrency=8
        )
        async with dify:
            await dify.profile()
            print("ready", flush=True)  # noqa: T201 - to the one who started it
            await anyio.to_thread.run_sync(sys.stdin.readline)
            started = time.monotonic()
            self._end = started + order.seconds
            async with anyio.create_task_group() as group:
                for app in order.apps:
                    group.start_soon(self._work, dify, app)
                await self._watch()
        await store.aclose()
        await anyio.wait_all_tasks_blocked()
        self.report.tasks_left = len(asyncio.all_tasks()) - 1
        self.report.files_left = _open_files() - files

    async def _watch(self) -> None:
        """Compare the last third of the time with the one before it."""
        third = self._order.seconds / 3
        await anyio.sleep(third)
        settled, tasks, files = _peak_kib(), *await self._fewest(third)
        tasks_at_the_end, files_at_the_end = await self._fewest(third)
        self.report.grown_kib = _peak_kib() - settled
        momentary = len(self._order.apps) + _MOMENTARY  # a statistics call has several tasks for a while
        self.report.tasks_grown = max(0, tasks_at_the_end - tasks - momentary)
        self.report.files_grown = max(0, files_at_the_end - files - _MOMENTARY)

    async def _fewest(self, seconds: float) -> tuple[int, int]:
        """The fewest tasks and open files at once for this time: what leaks, raises them."""
        end = time.monotonic() + 0.9 * seconds  # the workers stop at the end
        tasks, files = len(asyncio.all_tasks()), _open_files()
        while time.monotonic() < end:
            await anyio.sleep(seconds / 100)
            tasks, files = min(tasks, len(asyncio.all_tasks())), min(files, _open_files())
        return tasks, files

    async def _work(self, dify: AsyncDifyServer, app: str) -> None:
        kinds = (self._profile, self._page, self._statistics, self._keys, self._given_up)
        while time.monotonic() < self._end:
            kind = random.choice(kinds)
            try:
                await kind(dify, app)
            except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
                if _is_a_lost_sign_in(error):
                    self._had_to_fail["sign-in"] += 1
                    continue
                self.report.failed += 1
                if len(self.report.texts) < _KEPT_TEXTS:
                    self.report.texts.append(f"{kind.__name__}: {error!r}")
            self._calls[kind.__name__.strip("_")] += 1

    async def _profile(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.profile()).email == self._order.email, app

    async def _page(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.apps_page(limit=20)).data, app

    async def _statistics(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.statistics(app)).errors == {}

    async def _given_up(self, dify: AsyncDifyServer, app: str) -> None:
        with anyio.move_on_after(random.uniform(0, 0.05)) as scope:
            await dify.app(app)
        self.report.cancelled += scope.cancelled_caught

    async def _keys(self, dify: AsyncDifyServer, app: str) -> None:
        """No key is made twice, and none stays behind; the app is this task's alone."""
        if app in self._left:  # a sign-in that had to fail cut the last one short
            for left in await dify.get_app_api_key(app):
                await dify.delete_app_api_key(app, left.id)
            self._left.discard(app)
        self._left.add(app)
        try:
            made = [key.id for key in await dify.init_app_api_key(app)]
        except (DifyUnknownOutcomeError, DifyServerError) as error:
            self._had_to_fail[type(error).__name__] += 1
            made = None
        there = [key.id for key in await dify.get_app_api_key(app)]
        assert made is None or there == made, (made, there)
        assert len(there) <= 1, there
        for key in there:
            await dify.delete_app_api_key(app, key)
        assert await dify.get_app_api_key(app) == []
        self._left.discard(app)


def _is_a_lost_sign_in(error: Exception) -> bool:
    """A password that this process never had accepted is not sent again where its answer was lost."""
    return isinstance(error, DifyConnectionError | DifyServerError) and str(error).startswith("POST /login")


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - a number is all that is asked for


def _peak_kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


if __name__ == "__main__":
    worker = Worker(msgspec.json.decode(sys.argv[1], type=Order))
    asyncio.run(worker.run())
    sys.stdout.buffer.write(msgspec.json.encode(worker.report))
