"""One process of the soak: many tasks that make calls and check the results."""

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
    Event,
    RedisTokenStore,
    RetryPolicy,
    StoreDown,
    StoreUp,
)

# A GET fails if all its attempts fail: with 7 % of faults, once in two billion calls.
_RETRY = RetryPolicy(attempts=8, base_delay=0.05, max_delay=0.5)
_MAX_ERRORS = 5
# Connections open and close: a few more in one sample than in another are not growth.
# After an outage of Redis, its pool fills again (8), and the client has 8 connections too.
_FLUCTUATION = 16
# A call waits this long for Redis, in seconds, before the event is emitted.
_DOWN_BEFORE_EVENT = 2.0


class Job(msgspec.Struct):
    """The task of a process."""

    base_url: str
    email: str
    password: str
    redis_url: str
    apps: list[str]
    seconds: float
    min_calls: int


class Report(msgspec.Struct):
    """The results of a process.

    Attributes:
        calls: The number of calls, by kind.
        cancelled: Calls that were cancelled on purpose.
        expected_failures: Calls whose failure is expected (a lost answer, a server error), by error.
        failed: The number of unexpected failures.
        texts: The first of them.
        grown_kib: Growth of the memory peak after the first third of the time.
        tasks_grown: Growth in concurrent tasks from the second third to the last.
        files_grown: Growth in open files, and so in connections, over the same time.
        tasks_left: Tasks other than the main one after the client is closed.
        files_left: Additional open files compared with the time before the client was opened.
        unfinished: Apps on which a key may have been left, because a failure interrupted their last call.
        unshared: The times between which this process did not share its tokens, by the monotonic clock,
            which all processes share.
    """

    calls: dict[str, int] = {}
    cancelled: int = 0
    expected_failures: dict[str, int] = {}
    failed: int = 0
    texts: list[str] = []
    grown_kib: int = 0
    tasks_grown: int = 0
    files_grown: int = 0
    tasks_left: int = 0
    files_left: int = 0
    unfinished: set[str] = set()
    unshared: list[tuple[float, float]] = []


class Worker:
    """The calls of one process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._left: set[str] = set()
        self._down_since: float | None = None
        self._end = 0.0
        calls, expected_failures = self._calls, self._expected_failures = Counter[str](), Counter[str]()
        self.report = Report(calls=calls, expected_failures=expected_failures)

    async def run(self) -> None:
        files = _open_files()
        job = self._job
        store = RedisTokenStore(job.redis_url)
        dify = AsyncDifyServer(
            job.base_url,
            job.email,
            job.password,
            token_store=store,
            retry=_RETRY,
            max_concurrency=8,
            on_event=self._see,
        )
        async with dify:
            await dify.profile()
            print("ready", flush=True)  # noqa: T201 - read by the parent process
            await anyio.to_thread.run_sync(sys.stdin.readline)
            started = time.monotonic()
            self._end = started + job.seconds
            async with anyio.create_task_group() as group:
                for app in job.apps:
                    group.start_soon(self._work, dify, app)
                await self._watch()
        await store.aclose()
        await anyio.wait_all_tasks_blocked()
        self.report.tasks_left = len(asyncio.all_tasks()) - 1
        self.report.files_left = _open_files() - files
        self.report.unfinished = self._left
        self._see(StoreUp())

    def _see(self, event: Event) -> None:
        if isinstance(event, StoreDown):
            self._down_since = time.monotonic() - _DOWN_BEFORE_EVENT
        elif isinstance(event, StoreUp) and self._down_since is not None:
            self.report.unshared.append((self._down_since, time.monotonic()))
            self._down_since = None

    async def _watch(self) -> None:
        """Compare the last third of the time with the second."""
        third = self._job.seconds / 3
        await anyio.sleep(third)
        before, tasks, files = _peak_kib(), *await self._fewest(third)
        tasks_at_the_end, files_at_the_end = await self._fewest(third)
        self.report.grown_kib = _peak_kib() - before
        allowed = len(self._job.apps) + _FLUCTUATION  # a statistics call has several tasks
        self.report.tasks_grown = max(0, tasks_at_the_end - tasks - allowed)
        self.report.files_grown = max(0, files_at_the_end - files - _FLUCTUATION)

    async def _fewest(self, seconds: float) -> tuple[int, int]:
        """The fewest concurrent tasks and open files in this time, which a leak raises."""
        end = time.monotonic() + 0.9 * seconds  # the tasks stop at the end
        tasks, files = len(asyncio.all_tasks()), _open_files()
        while time.monotonic() < end:
            await anyio.sleep(seconds / 100)
            tasks, files = min(tasks, len(asyncio.all_tasks())), min(files, _open_files())
        return tasks, files

    async def _work(self, dify: AsyncDifyServer, app: str) -> None:
        kinds = (self._profile, self._page, self._statistics, self._keys, self._cancelled)
        while time.monotonic() < self._end or self._calls.total() < self._job.min_calls:
            kind = random.choice(kinds)
            try:
                await kind(dify, app)
            except Exception as error:  # noqa: BLE001 - every error is a failure
                if _is_failed_login(error):
                    self._expected_failures["login"] += 1
                    continue
                self.report.failed += 1
                if len(self.report.texts) < _MAX_ERRORS:
                    self.report.texts.append(f"{kind.__name__}: {error!r}")
            self._calls[kind.__name__.strip("_")] += 1

    async def _profile(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.profile()).email == self._job.email, app

    async def _page(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.apps_page(limit=20)).data, app

    async def _statistics(self, dify: AsyncDifyServer, app: str) -> None:
        assert (await dify.statistics(app)).errors == {}

    async def _cancelled(self, dify: AsyncDifyServer, app: str) -> None:
        with anyio.move_on_after(random.uniform(0, 0.05)) as scope:
            await dify.app(app)
        self.report.cancelled += scope.cancelled_caught

    async def _keys(self, dify: AsyncDifyServer, app: str) -> None:
        """No key is created twice, and none is left; only this task uses the app."""
        if app in self._left:  # a failed login interrupted the last one
            for left in await dify.get_app_api_key(app):
                await dify.delete_app_api_key(app, left.id)
            self._left.discard(app)
        self._left.add(app)
        try:
            made = [key.id for key in await dify.init_app_api_key(app)]
        except (DifyUnknownOutcomeError, DifyServerError) as error:
            self._expected_failures[type(error).__name__] += 1
            made = None
        there = [key.id for key in await dify.get_app_api_key(app)]
        assert made is None or there == made, (made, there)
        assert len(there) <= 1, there
        for key in there:
            await dify.delete_app_api_key(app, key)
        assert await dify.get_app_api_key(app) == []
        self._left.discard(app)


def _is_failed_login(error: Exception) -> bool:
    """A password without a successful login in this process is not sent twice if its answer is lost."""
    return isinstance(error, DifyConnectionError | DifyServerError) and str(error).startswith("POST /login")


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - only counted


def _peak_kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


if __name__ == "__main__":
    worker = Worker(msgspec.json.decode(sys.argv[1], type=Job))
    asyncio.run(worker.run())
    sys.stdout.buffer.write(msgspec.json.encode(worker.report))
