"""What belongs to one process, and says so when it is pickled or copied."""

from __future__ import annotations

from typing import ClassVar, NoReturn


class Uncopyable:
    """Holds connections, tasks or secrets, so pickling and copying it raise a TypeError."""

    _instead: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        """Refuse `pickle.dumps`, `copy.copy` and `copy.deepcopy`, which all ask this."""
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied; {self._instead}")
