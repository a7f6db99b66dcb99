"""One job at a time, for all who want its result; it outlives each of them."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from dify_async._tasks import end
from dify_async.errors import DifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Done = asyncio.Future[None]
    Job = Callable[[Done], Coroutine[Any, Any, None]]


class SingleFlight:
    """Runs jobs one after the other, each on a task of its own.

    A job sets `done` as soon as others can go on, and may itself go on after that. Whoever waits
    may be cancelled: the job goes on, so what it got is not lost.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []  # each behind the one before
        self._shared: Done | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether a job runs."""
        return any(not task.done() for task in self._tasks)

    def start(self, job: Job, *, is_shared: bool = True) -> Done:
        """Start a job behind those that run; others join it where its errors are theirs too."""
        done = asyncio.get_running_loop().create_future()
        self._tasks = [task for task in self._tasks if not task.done()]
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(_run(job, done, before), name="dify_async session"))
        self._shared = done if is_shared else None
        return done

    async def join(self, job: Job) -> None:
        """Wait for the shared job under way, or else for this one."""
        done = self._shared
        if done is None or done.done():
            done = self.start(job)
        await outcome(done)

    async def close(self, grace: float) -> None:
        """Let the jobs finish, but not for longer than `grace` seconds in all."""
        tasks, self._tasks, self._shared = self._tasks, [], None
        if tasks:
            try:
                await asyncio.wait(tasks, timeout=grace)
            finally:
                for task in reversed(tasks):  # the last first: none starts when the one before it ends
                    await end(task)


async def outcome(done: Done) -> None:
    """Wait with others."""
    # Not asyncio.shield, which reports what fails after the one who waited was cancelled (Python 3.14).
    await asyncio.wait([done])
    try:
        done.result()
    except DifyError as error:
        # One for each, since raising adds to an error's traceback.
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
    except Exception as error:  # noqa: BLE001 - it is raised in those who wait
        if not done.done():
            done.set_exception(error)
    finally:
        if not done.done():
            done.set_result(None)
        done.exception()  # marks it as seen: it may be that nobody waits
