"""Base classes of the models, pages of lists, and wrappers of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, overload

from msgspec import Struct

from .serialization import Serializable

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class DifyModel(Serializable, Struct, frozen=True):
    """The base class of the models."""


class _RowsOfPage(Generic[T]):
    """A page as a sequence of its rows."""

    __slots__ = ()

    data: list[T]

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.data[index]


class Page(_RowsOfPage[T], DifyModel, Generic[T], frozen=True, kw_only=True):
    """One page of a list. `for`, `len()` and indexes apply to the rows of this page only.

    Attributes:
        data: The rows.
        has_more: Whether there is another page, as reported by the server.
        limit: Rows per page; some servers report their default if there are no rows.
        page: The number of this page, starting at 1.
        total: The total number of rows on all pages.
    """

    data: list[T]
    has_more: bool = False
    limit: int = 0
    page: int = 1
    total: int = 0


class CursorPage(_RowsOfPage[T], DifyModel, Generic[T], frozen=True, kw_only=True):
    """One page of a list with a cursor: to get the next page, pass the id of the last row.

    `for`, `len()` and indexes apply to the rows of this page only.

    Attributes:
        data: The rows.
        has_more: Whether there is another page, as reported by the server.
        limit: Rows per page.
    """

    data: list[T]
    has_more: bool = False
    limit: int = 0


class Rows(Struct, Generic[T], frozen=True):
    """The object in which the server wraps a list without pages."""

    data: list[T]


class Text(Struct, frozen=True):
    """The object in which the server wraps a string. `result` is set for the token of an emailed code."""

    data: str
    result: str | None = None


class ShortRepr:
    """A struct whose repr shows only what `__rich_repr__` returns."""

    __slots__ = ()

    def __rich_repr__(self) -> list[tuple[str, object]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"


class Masked(ShortRepr, DifyModel, frozen=True):
    """A model whose repr masks its secret fields."""

    _secrets: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, object]]:
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "***" if value and name in self._secrets else value) for name, value in fields]
