"""Running many things at once, and one thing at a time."""

from __future__ import annotations

import asyncio
import copy
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio

from .errors import DifyError

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterable,
        Iterator,
    )

    from anyio.abc import TaskGroup

    Done = asyncio.Future[None]
    Job = Callable[[Done], Coroutine[Any, Any, None]]

T = TypeVar("T")


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """A task group that raises the first error instead of an exception group."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise _first(errors) from None  # a variable would keep its own traceback


def _first(errors: BaseException) -> BaseException:
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


async def for_each(
    items: Iterable[T], do: Callable[[T], Awaitable[Iterable[T] | None]], workers: int
) -> None:
    """Call `do` with each item, `workers` at a time; the first failure ends all.

    `do` may return further items, which come before the remaining ones. Workers share the iterators: a task
    per item would cost 11 µs more.
    """
    async with task_group() as group:
        _Workers(items, do, workers, group).start()


class _Workers(Generic[T]):
    """The workers of `for_each`; functions that call each other would leave a reference cycle behind."""

    def __init__(
        self,
        items: Iterable[T],
        do: Callable[[T], Awaitable[Iterable[T] | None]],
        count: int,
        group: TaskGroup,
    ) -> None:
        self._iterators = [iter(items)]
        self._do = do
        self._count = count
        self._group = group
        self._running = 0

    def start(self) -> None:
        """Start as many workers as are missing."""
        for _ in range(self._running, self._count):
            self._running += 1
            self._group.start_soon(self._work)

    async def _work(self) -> None:
        for item in self._upcoming():
            further = await self._do(item)
            if further:
                self._iterators.append(iter(further))
                self.start()
        self._running -= 1

    def _upcoming(self) -> Iterator[T]:
        while self._iterators:
            for item in self._iterators[-1]:
                yield item
                break
            else:
                self._iterators.pop()


async def for_each_async(items: AsyncGenerator[T], do: Callable[[T], Awaitable[None]], workers: int) -> None:
    """Call `do` with each item of an asynchronous iterator, `workers` at a time; the first failure ends all.

    One worker at a time waits for the next item.
    """
    lock = anyio.Lock(fast_acquire=True)

    async def work() -> None:
        while True:
            async with lock:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            await do(item)

    async with aclosing(items), task_group() as group:
        for _ in range(workers):
            group.start_soon(work)


async def cancel_and_wait(task: asyncio.Task[None]) -> None:
    """Cancel the task until it ends: a library may raise another error in place of a cancellation.

    If the calling task is cancelled in the meantime, that is raised once the task has ended.
    """
    cancellation = await _end(task, cancel_every=0.1)
    if cancellation is not None:
        raise cancellation


async def complete(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end even if the calling task is cancelled, then raise the cancellation."""
    task = asyncio.ensure_future(work)
    cancellation = await _end(task)
    if cancellation is not None:
        task.exception()  # marks it as seen
        raise cancellation
    task.result()


async def _end(
    task: asyncio.Task[None], *, cancel_every: float | None = None
) -> asyncio.CancelledError | None:
    """Wait until the task has ended, and return the cancellation of the calling task, if there was one."""
    cancellation = None
    # anyio would cancel again in each round of the event loop.
    with anyio.CancelScope(shield=True):
        while not task.done():
            if cancel_every is not None:
                task.cancel()
            try:
                await asyncio.wait([task], timeout=cancel_every)
            except asyncio.CancelledError as error:
                cancellation = error
    return cancellation


class SingleFlight:
    """Runs jobs one after the other, each in its own task.

    A job sets `done` as soon as the callers can go on, and may continue after that. Callers may be
    cancelled while they wait: the job continues, so that its result is not lost.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []  # each waits for the one before
        self._shared: Done | None = None

    @property
    def is_running(self) -> bool:
        """Whether a job runs or waits."""
        return any(not task.done() for task in self._tasks)

    def start(self, job: Job, *, is_shared: bool = True) -> Done:
        """Start a job after those that run; if it is shared, later callers of `join` get its result."""
        done = asyncio.get_running_loop().create_future()
        self._tasks = [task for task in self._tasks if not task.done()]
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(_run(job, done, before), name="dify_async session"))
        self._shared = done if is_shared else None
        return done

    async def join(self, job: Job) -> None:
        """Wait for the shared job that runs, or else start this one."""
        done = self._shared
        if done is None or done.done():
            done = self.start(job)
        await outcome(done)

    async def close(self, grace: float) -> None:
        """Let the jobs finish, within `grace` seconds in all."""
        tasks, self._tasks, self._shared = self._tasks, [], None
        if tasks:
            try:
                await asyncio.wait(tasks, timeout=grace)
            finally:
                for task in reversed(tasks):  # the last first: none starts when the one before it ends
                    await cancel_and_wait(task)


async def outcome(done: Done) -> None:
    """Wait for a job's result, together with others."""
    # Not asyncio.shield, which reports failures after its caller was cancelled (Python 3.14).
    await asyncio.wait([done])
    try:
        done.result()
    except DifyError as error:
        # One for each caller, since raising adds to an error's traceback.
        raise copy.copy(error) from None


async def _run(job: Job, done: Done, before: asyncio.Task[None] | None) -> None:
    try:
        if before is not None:
            await asyncio.wait([before])
        await job(done)
    except asyncio.CancelledError:
        if not done.done():
            done.set_exception(DifyError("the client was closed"))
        raise
    except Exception as error:  # noqa: BLE001 - it is raised in the callers
        if not done.done():
            done.set_exception(error)
    finally:
        if not done.done():
            done.set_result(None)
        done.exception()  # marks it as seen, since there may be no caller left
