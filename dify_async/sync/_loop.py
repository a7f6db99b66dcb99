"""An event loop in a background thread, for code without an event loop."""

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
    """An event loop in a background thread, in which a context manager is entered until `close()`."""

    def __init__(self, manager: AbstractAsyncContextManager[object]) -> None:
        self._process_id = os.getpid()
        self.is_closed: bool = False
        # Held while a task is submitted, so that no task is lost if the loop stops at the same time.
        # Reentrant, because the garbage collector may exit a block while it is held.
        self._submitting = threading.RLock()
        with ExitStack() as stack:
            portal, thread = _started()
            self._portal = portal
            stack.callback(thread.join)
            self._thread_id = portal.call(threading.get_ident)
            stack.callback(portal.call, partial(portal.stop, cancel_remaining=True))
            portal.call(manager.__aenter__)
            stack.callback(portal.call, manager.__aexit__, None, None, None)
            self._stack = stack.pop_all()
        # For clients that are never closed, for example in a worker process or a notebook.
        atexit.register(self._close_at_exit)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of the call. If this thread is interrupted, the call is cancelled."""
        future = self.start(call)
        return answer(future, future)

    def start(self, call: Callable[[], Awaitable[T]]) -> Future[T]:
        """Start the call without waiting for it."""
        self._check_caller()
        with self._submitting:
            if self.is_closed:
                raise DifyError(NOT_OPEN)
            return self._portal.start_task_soon(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """The rows, fetched as they are used.

        Leaving early does not wait for the asynchronous iterator: the event loop closes it when it is
        garbage-collected, so the garbage collector never waits here.
        """
        while True:
            try:
                row = self.run(partial(anext, rows))
            except StopAsyncIteration:
                return
            yield row

    def close(self) -> None:
        """Refuse new calls, exit the context manager, cancel the remaining tasks, and end the thread."""
        self._check_caller()
        atexit.unregister(self._close_at_exit)
        with self._submitting:
            stack, self._stack = self._stack, ExitStack()
            self.is_closed = True
        stack.close()

    def _close_at_exit(self) -> None:
        if os.getpid() == self._process_id:
            self.close()

    def _check_caller(self) -> None:
        if os.getpid() != self._process_id:
            raise DifyError("the client was opened before a fork; create one in each process")
        if threading.get_ident() == self._thread_id:
            raise DifyError(
                "the client was called from its own callback or token store, which would deadlock"
            )


def _started() -> tuple[BlockingPortal, threading.Thread]:
    """A portal and the thread that runs its event loop.

    Not anyio's start_blocking_portal: Python closes its generator when a process ends, even in a forked
    child, where it would wait for a thread that does not exist.
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
            started.set_exception(error)  # for example, no file descriptors are left

    thread = threading.Thread(target=run, name="dify_async", daemon=True)
    thread.start()
    return started.result(), thread


def answer(future: Future[T], task: Future[T] | Future[None]) -> T:
    """The result of a future that a task sets. If this thread is interrupted, the task is cancelled."""
    try:
        return future.result()
    except CancelledError:
        raise DifyError("the client was closed") from None
    except BaseException:
        task.cancel()
        raise


class Block(Generic[ValueT]):
    """An async context manager, entered and exited in the same task, as cancel scopes require."""

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
        """Exit it and wait until it is done. Each call raises the exception of the block, if any."""
        if not self._task.done():
            self._loop.run(self._request_exit)
        answer(self._task, self._task)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of the call."""
        return self._loop.run(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """The rows of the block, until the end or the first error."""
        yield from self._loop.rows(rows)
        # The stream ends in both cases; exiting the block raises the error, if any.
        self.leave()

    async def _request_exit(self) -> None:
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
