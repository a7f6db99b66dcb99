"""What the list methods return: a list that can be awaited or iterated over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

RowT_co = TypeVar("RowT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Source(Protocol[RowT_co, ResultT_co]):
    """The requests of a list."""

    @property
    def route(self) -> str:
        """The route, for messages."""

    async def result(self) -> ResultT_co:
        """What awaiting the list returns."""

    def rows(self) -> AsyncIterator[RowT_co]:
        """The rows of all pages."""


class Paginator(Coroutine[Any, Any, ResultT_co], AsyncIterable[RowT_co], Generic[RowT_co, ResultT_co]):
    """A list on the server. Await it or iterate over it; until then, nothing is requested.

    `await` returns what the method's documentation says: one page, or a list of all rows. `async for` yields
    every row from the first requested page on, each once, in the order of the list, and requests each page
    when it is needed. No connection is held between pages, so you can leave the loop at any time.

    Each `await` and each `async for` makes its own requests. It is also a coroutine: pass it to
    `asyncio.create_task()`, `asyncio.gather()` or `asyncio.wait_for()`.
    """

    _route: str = ""  # for the repr if __init__ was not called

    def __init__(self, source: Source[RowT_co, ResultT_co]) -> None:
        self._source = source
        self._route = source.route
        self._requests: dict[asyncio.Task[Any] | None, Coroutine[Any, Any, ResultT_co]] = {}
        # In the repr of a task.
        self.__name__: str = f"Paginator of {self._route}"
        self.__qualname__: str = self.__name__

    def __repr__(self) -> str:
        return f"<Paginator of {self._route}: use await, or async for>"

    def __aiter__(self) -> AsyncIterator[RowT_co]:
        return self._source.rows()

    def __await__(self) -> Generator[Any, Any, ResultT_co]:
        return self._source.result().__await__()

    def send(self, value: object, /) -> object:
        """For asyncio: continue the request of the current task."""
        return self._step(lambda request: request.send(value))

    def throw(self, *error: Any) -> object:
        """For asyncio: raise an error in the request of the current task."""
        return self._step(lambda request: request.throw(*error))

    def close(self) -> None:
        """For asyncio: end the requests of all tasks."""
        while self._requests:
            self._requests.popitem()[1].close()

    def _step(self, step: Callable[[Coroutine[Any, Any, ResultT_co]], object]) -> object:
        task = asyncio.current_task()
        request = self._requests.get(task)
        if request is None:
            request = self._requests[task] = self._source.result()
        try:
            return step(request)
        except BaseException:  # also the StopIteration that has the result
            self._requests.pop(task, None)
            raise
