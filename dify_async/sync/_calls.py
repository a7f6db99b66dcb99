"""The base class of the groups of calls: opening, closing and calling."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, overload

from dify_async._uncopyable import Uncopyable
from dify_async.errors import DifyError

from ._loop import NOT_OPEN, Block, Loop
from ._updates import DashboardUpdates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from dify_async import dashboard as asynchronous
    from dify_async.client import AsyncDifyServer

P = ParamSpec("P")
T = TypeVar("T")


class Calls(Uncopyable):
    """The asynchronous client, and the event loop that it is open in."""

    _instead = "create a client in each process, such as with from_env()"

    def __init__(self, dify: AsyncDifyServer) -> None:
        self._dify = dify
        self._loop: Loop | None = None

    def __repr__(self) -> str:
        if not hasattr(self, "_dify"):  # __init__ raised an error
            return f"{type(self).__name__}()"
        return repr(self._dify).removeprefix("Async")

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Open the client, as `with` does, and return it. Close it with `close()`.

        Nothing is sent: the first call logs in. A closed client can be opened again.

        Raises:
            DifyConfigError: A setting of the environment cannot be used.
            DifyError: The client is open already.
        """
        if self._loop is not None and not self._loop.is_closed:
            raise DifyError("the client is open already")
        self._loop = Loop(self._dify)
        return self

    def close(self) -> None:
        """Close the client, as leaving `with` does. Closing a client that is not open does nothing.

        Running calls end with an error. A token refresh in progress may take up to two seconds to finish,
        so that the session is kept. A token store that you passed in stays open.
        """
        if self._loop is not None:
            self._loop.close()

    def _opened(self) -> Loop:
        if self._loop is None:
            raise DifyError(NOT_OPEN)
        return self._loop

    def _call(self, call: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._opened().run(partial(call, *args, **kwargs))

    def _rows(self, rows: AsyncIterator[T]) -> Generator[T, None, None]:
        yield from self._opened().rows(rows)

    @contextmanager
    def _block(self, manager: AbstractAsyncContextManager[T]) -> Iterator[tuple[T, Block[T]]]:
        block = Block(self._opened(), manager)
        value = block.enter()
        try:
            yield value, block
        except BaseException:
            with suppress(Exception):
                block.leave()
            raise
        block.leave()

    @contextmanager
    def _stream(
        self, manager: AbstractAsyncContextManager[AsyncIterator[T]]
    ) -> Iterator[Generator[T, None, None]]:
        with self._block(manager) as (rows, block):
            yield block.rows(rows)

    @contextmanager
    def _updates(
        self, manager: AbstractAsyncContextManager[asynchronous.DashboardUpdates]
    ) -> Iterator[DashboardUpdates]:
        with self._block(manager) as (updates, block):
            yield DashboardUpdates(updates, block)


@overload
def taken(items: Iterable[T]) -> Iterable[T]: ...


@overload
def taken(items: Iterable[T] | None) -> Iterable[T] | None: ...


def taken(items: Iterable[T] | None) -> Iterable[T] | None:
    """The items of an iterable, read in the caller's thread: it may call this client or a database.

    Other values are passed on, and fail the check of the argument.
    """
    return list(items) if isinstance(items, Iterable) and not isinstance(items, str) else items
