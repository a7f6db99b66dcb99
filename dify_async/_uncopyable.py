"""A base class for objects that belong to one process."""

from __future__ import annotations

from typing import ClassVar, NoReturn


class Uncopyable:
    """Has connections, tasks or secrets, so pickling or copying it raises a TypeError."""

    _instead: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        """Raise in `pickle.dumps`, `copy.copy` and `copy.deepcopy`, which all call this."""
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied; {self._instead}")
