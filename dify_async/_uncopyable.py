"""A base class for objects that belong to one process."""

from __future__ import annotations

from typing import ClassVar, NoReturn


class Uncopyable:
    """An object with connections, tasks or secrets; pickling or copying it raises a TypeError."""

    # What the caller should do instead, for the error message.
    _instead: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        """Raise a TypeError. `pickle.dumps`, `copy.copy` and `copy.deepcopy` all call this method."""
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied; {self._instead}")
