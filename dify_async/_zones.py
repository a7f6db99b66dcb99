"""Time zones by name, from the system's database or the tzdata package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DifyConfigError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def find_zone(name: str) -> ZoneInfo:
    """The time zone with this name. The first use of a name reads files.

    Raises:
        DifyConfigError: No database has it; Windows and slim images have no database.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - called in a thread, unlike the import of this module

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: a folder of the database, such as "America"
        raise DifyConfigError(
            f"the time zone {name[:60]!r} is not in this machine's time zone database;"
            " if the name is right, install the package tzdata (pip install tzdata)"
        ) from None
