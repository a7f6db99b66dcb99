"""An event loop on a thread of its own, for threads that have none."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

from dify_async.errors import DifyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")
ValueT = TypeVar("ValueT")

NOT_OPEN: Final = "the client is not open: use it inside `with DifyServer(...)`"


class Loop:
    """An event loop with something entered in it, for any number of threads, until it is closed."""

    def __init__(self, manager: AbstractAsyncContextManager[object]) -> None:
        self._process_id = os.getpid()
        self.is_closed: bool = False
        # Held while a task is handed over, so that none is lost to a loop that stops in that moment.
        # Reentrant, since what Python collects in the midst of it may leave a block.
        self._handing_over = threading.RLock()
        with ExitStack() as stack:
            portal, thread = _started()
            self._portal = portal
            stack.callback(thread.join)
            self._thread_id = portal.call(threading.get_ident)
            stack.callback(portal.call, partial(portal.stop, cancel_remaining=True))
            portal.call(manager.__aenter__)
            stack.callback(portal.call, manager.__aexit__, None, None, None)
            self._stack = stack.pop_all()
        # Where nobody leaves the client: in a worker process that ends, in a notebook.
        atexit.register(self._close_at_exit)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call answers; the call is cancelled where this thread is interrupted."""
        future = self.start(call)
        return answer(future, future)

    def start(self, call: Callable[[], Awaitable[T]]) -> Future[T]:
        """Begin, and do not wait."""
        self._check_caller()
        with self._handing_over:
            if self.is_closed:
                raise DifyError(NOT_OPEN)
            return self._portal.start_task_soon(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """The rows, as they are used.

        Leaving early does not wait for the asynchronous iterator to close: that one is dropped with this,
        and its loop closes it, whichever thread it was. So Python's garbage collection never waits here.
        """
        while True:
            try:
                row = self.run(partial(anext, rows))
            except StopAsyncIteration:
                return
            yield row

    def close(self) -> None:
        """Refuse what is new, leave what was entered, cancel what is left, and end the thread."""
        self._check_caller()
        atexit.unregister(self._close_at_exit)
        with self._handing_over:
            stack, self._stack = self._stack, ExitStack()
            self.is_closed = True
        stack.close()

    def _close_at_exit(self) -> None:
        if os.getpid() == self._process_id:
            self.close()

    def _check_caller(self) -> None:
        if os.getpid() != self._process_id:
            raise DifyError("the client was opened before a fork: make one in each process")
        if threading.get_ident() == self._thread_id:
            raise DifyError(
                "the client was called by its own callback or token store, and would wait for itself"
            )


def _started() -> tuple[BlockingPortal, threading.Thread]:
    """A portal, and the thread that runs its event loop.

    Not anyio's start_blocking_portal: its generator is closed by Python at the end of a process, also of
    one that was forked, and waits then for a thread that is no more.
    """
    started: Future[BlockingPortal] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    def run() -> None:
        try:
            anyio.run(serve)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)  # there are no more files to open, say

    thread = threading.Thread(target=run, name="dify_async", daemon=True)
    thread.start()
    return started.result(), thread


def answer(future: Future[T], task: Future[T] | Future[None]) -> T:
    """The result of a future that a task brings; the task ends where this thread is interrupted."""
    try:
        return future.result()
    except CancelledError:
        raise DifyError("the client was closed") from None
    except BaseException:
        task.cancel()
        raise


class Block(Generic[ValueT]):
    """An async context manager, entered and left by one task, as its cancel scopes ask for."""

    def __init__(self, loop: Loop, manager: AbstractAsyncContextManager[ValueT]) -> None:
        self._loop = loop
        self._manager = manager
        self._leave = asyncio.Event()
        self._entered: Future[ValueT] = Future()
        self._task = loop.start(self._hold)

    def enter(self) -> ValueT:
        """Wait until it is entered."""
        return answer(self._entered, self._task)

    def leave(self) -> None:
        """Wait until it is left; what failed in it is raised, now and every further time."""
        if not self._task.done():
            self._loop.run(self._let_go)
        answer(self._task, self._task)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call answers."""
        return self._loop.run(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """The rows that come inside, until all came or something failed."""
        yield from self._loop.rows(rows)
        # A stream ends in both cases; with the block left, it is known which one it is.
        self.leave()

    async def _let_go(self) -> None:
        self._leave.set()

    async def _hold(self) -> None:
        try:
            async with self._manager as value:
                self._entered.set_result(value)
                await self._leave.wait()
        except asyncio.CancelledError:
            self._entered.cancel()
            raise
        except BaseException as error:
            if not self._entered.done():
                self._entered.set_exception(error)
            raise
