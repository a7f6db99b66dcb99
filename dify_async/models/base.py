"""Base classes of the models, pages of lists, and wrappers of single values."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

from .serialization import Serializable

T = TypeVar("T")


class Answer(Serializable, Struct, frozen=True):
    """The base class of the models."""


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """One page of a list.

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


class CursorPage(Answer, Generic[T], frozen=True, kw_only=True):
    """One page of a list with a cursor. The cursor is the id of a row: pass it to get the next page.

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
    """The object in which the server wraps a text. `result` is set if it is the token for an emailed code."""

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


class Masked(ShortRepr, Answer, frozen=True):
    """A model whose repr masks its secret fields."""

    _secrets: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, object]]:
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "***" if value and name in self._secrets else value) for name, value in fields]
