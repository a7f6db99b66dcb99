"""The progress of a usage report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress:
    """Counts conversations: those that are done, and all that are known so far."""

    def __init__(self, callback: Callable[[int, int], None] | None) -> None:
        self._callback = callback
        self.done = self.total = 0

    def report(self) -> None:
        """Call the callback."""
        if self._callback is not None:
            self._callback(self.done, self.total)


class AppProgress:
    """The part of one app."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = self._announced = 0

    def announce(self, total: int) -> None:
        """Note how many conversations the app has; the first list counts."""
        if not self._announced:
            self._announced = total
            self._progress.total += total

    def advance(self) -> None:
        """Note that one more conversation is done."""
        self._done += 1
        self._progress.done += 1
        if self._done > self._announced:
            self._progress.total += 1
            self._announced += 1
        self._progress.report()

    def finish(self) -> None:
        """Forget the conversations that the app turned out not to have, or that could not be read."""
        self._progress.total -= self._announced - self._done
        self._announced = self._done
        self._progress.report()
