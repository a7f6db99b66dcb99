"""What the other models stand on."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list.

    Attributes:
        data: The rows.
        has_more: Whether the server says that a further page follows.
        limit: Rows a page; some servers answer their default where nothing matched.
        page: The number of this page, from 1.
        total: All rows, as the server counts them; rows made meanwhile shift it.
    """

    data: list[T]
    has_more: bool = False
    limit: int = 0
    page: int = 1
    total: int = 0


class CursorPage(Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list without pages: the next part begins behind one of its rows.

    Attributes:
        data: The rows.
        has_more: Whether the server says that a further part follows.
        limit: Rows a part.
    """

    data: list[T]
    has_more: bool = False
    limit: int = 0


class Rows(Struct, Generic[T], frozen=True):
    """The envelope of a list that comes whole."""

    data: list[T]


class Text(Struct, frozen=True):
    """The envelope of a text; `result` is "success" if it is the token of a mailed code."""

    data: str
    result: str | None = None


class Masked(Struct, frozen=True):
    """A model of which some fields are secret and never shown."""

    _secrets: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, object]]:
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "***" if value and name in self._secrets else value) for name, value in fields]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"
