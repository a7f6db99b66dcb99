"""An event loop in a background thread, for synchronous code."""

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

NOT_OPEN: Final = "the client is not open; use it inside `with DifyServer(...)` or call open() first"


class Loop:
    """An event loop in a background thread, which keeps a context manager entered until `close()`."""

    def __init__(self, manager: AbstractAsyncContextManager[object]) -> None:
        self._process_id = os.getpid()
        self.is_closed: bool = False
        # Held while a task is submitted, so that no task is lost if the loop stops at the same time.
        # Reentrant, because the garbage collector may exit a block in the thread that holds the lock.
        self._submit_lock = threading.RLock()
        with ExitStack() as stack:
            portal, thread = _start_portal()
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
        """Run the call and return its result. If this thread is interrupted, the call is cancelled."""
        future = self.start(call)
        return result_of(future, future)

    def start(self, call: Callable[[], Awaitable[T]]) -> Future[T]:
        """Start the call without waiting for it."""
        self._check_caller()
        with self._submit_lock:
            if self.is_closed:
                raise DifyError(NOT_OPEN)
            return self._portal.start_task_soon(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """Iterate over the rows, fetching each one when it is needed.

        If the iteration stops early, the event loop closes the asynchronous iterator once that iterator is
        garbage-collected. This thread does not wait for it, even if the garbage collector runs here.
        """
        while True:
            try:
                row = self.run(partial(anext, rows))
            except StopAsyncIteration:
                return
            yield row

    def close(self) -> None:
        """Reject new calls, exit the context manager, cancel the remaining tasks, and end the thread."""
        self._check_caller()
        atexit.unregister(self._close_at_exit)
        with self._submit_lock:
            stack, self._stack = self._stack, ExitStack()
            self.is_closed = True
        stack.close()

    def _close_at_exit(self) -> None:
        # A forked child has no thread to close.
        if os.getpid() == self._process_id:
            self.close()

    def _check_caller(self) -> None:
        if os.getpid() != self._process_id:
            raise DifyError("the client was opened before a fork; create one in each process")
        if threading.get_ident() == self._thread_id:
            raise DifyError(
                "the client was called from its own callback or token store, which would deadlock"
            )


def _start_portal() -> tuple[BlockingPortal, threading.Thread]:
    """Start a thread with an event loop, and return its portal and the thread.

    anyio's start_blocking_portal is not used: Python closes its generator when a process ends. In a
    forked child, the generator would wait for a thread that does not exist.
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
            started.set_exception(error)  # for example, because no file descriptors are left

    thread = threading.Thread(target=run, name="dify_async", daemon=True)
    thread.start()
    return started.result(), thread


def result_of(future: Future[T], task: Future[T] | Future[None]) -> T:
    """Wait for a future that the task sets. If this thread is interrupted, the task is cancelled."""
    try:
        return future.result()
    except CancelledError:
        raise DifyError("the client was closed") from None
    except BaseException:
        task.cancel()
        raise


class Block(Generic[ValueT]):
    """Enters and exits an async context manager in the same task, as cancel scopes require."""

    def __init__(self, loop: Loop, manager: AbstractAsyncContextManager[ValueT]) -> None:
        self._loop = loop
        self._manager = manager
        self._exit_requested = asyncio.Event()
        self._entered: Future[ValueT] = Future()
        self._task = loop.start(self._enter_and_exit)

    def enter(self) -> ValueT:
        """Wait until the context manager is entered, and return its value."""
        return result_of(self._entered, self._task)

    def leave(self) -> None:
        """Exit the context manager and wait until it has exited. Each call raises its exception, if any."""
        if not self._task.done():
            self._loop.run(self._request_exit)
        result_of(self._task, self._task)

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run the call and return its result."""
        return self._loop.run(call)

    def rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        """Iterate over the rows until the end or the first error, then leave the block."""
        yield from self._loop.rows(rows)
        # The rows end in both cases; leaving the block raises the error, if there was one.
        self.leave()

    async def _request_exit(self) -> None:
        self._exit_requested.set()

    async def _enter_and_exit(self) -> None:
        try:
            async with self._manager as value:
                self._entered.set_result(value)
                await self._exit_requested.wait()
        except asyncio.CancelledError:
            self._entered.cancel()
            raise
        except BaseException as error:
            if not self._entered.done():
                self._entered.set_exception(error)
            raise
