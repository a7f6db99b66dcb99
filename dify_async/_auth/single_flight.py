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
        self._task: asyncio.Task[None] | None = None
        self._done: Done | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether there is something to wait for."""
        return self._done is not None and not self._done.done()

    def start(self, job: Job) -> Done:
        """Start a job behind the one that runs."""
        self._done = done = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(_run(job, done, self._task), name="dify_async session")
        return done

    async def join(self, job: Job) -> None:
        """Wait for the job under way, or else for this one."""
        done = self._done if self._done is not None and self.is_under_way else self.start(job)
        await outcome(done)

    async def close(self, grace: float) -> None:
        """Let the job finish, but not for longer than `grace` seconds."""
        task, self._task, self._done = self._task, None, None
        if task is not None:
            try:
                await asyncio.wait([task], timeout=grace)
            finally:
                await end(task)


async def outcome(done: Done) -> None:
    """Wait with others."""
    try:
        await asyncio.shield(done)
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
