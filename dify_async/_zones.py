"""Time zones by name, from the system's database or the tzdata package."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from .errors import CLOSE_FILES, DifyConfigError, DifyError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_NO_MORE_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


def find_zone(name: str) -> ZoneInfo:
    """The time zone with this name. The first use of a name reads files.

    Raises:
        DifyConfigError: No database has it; Windows and slim images have no database.
        DifyError: No more files can be opened.
    """
    try:
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - called in a thread, unlike the import of this module

        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # also for a folder of the database: "America"
        if getattr(error, "errno", None) in _NO_MORE_FILES:
            raise DifyError(
                f"the time zone {name[:60]!r} cannot be read: too many open files. {CLOSE_FILES}"
            ) from None
        raise DifyConfigError(
            f"the time zone {name[:60]!r} is not in this machine's time zone database;"
            " if the name is right, install the package tzdata (pip install tzdata)"
        ) from None
