"""A background thread in which a fake server runs."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future


class ServerThread:
    """Runs a server on its own event loop, until `stop`.

    The constructor returns when `start` has returned, or raises its error. `end` is called in `stop`.
    """

    def __init__(self, start: Callable[[], Awaitable[None]], end: Callable[[], Awaitable[None]]) -> None:
        started: Future[None] = Future()

        async def run() -> None:
            self._loop, self._stop_requested = asyncio.get_running_loop(), asyncio.Event()
            try:
                await start()
            except BaseException as error:  # noqa: BLE001 - it is raised in the other thread
                started.set_exception(error)
                return
            started.set_result(None)
            await self._stop_requested.wait()
            await end()

        self._process_id = os.getpid()
        # A daemon, so that a server that is never stopped does not keep the process running.
        self._thread = threading.Thread(
            target=lambda: asyncio.run(run()), name="dify_async fake", daemon=True
        )
        self._thread.start()
        started.result()

    def stop(self) -> None:
        """Stop the server and wait for the thread. A forked child has no thread to wait for."""
        if os.getpid() == self._process_id:
            self._loop.call_soon_threadsafe(self._stop_requested.set)
            self._thread.join()
