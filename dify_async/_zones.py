"""Time zones by their names, from the database of the machine or the package tzdata."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from .errors import DifyConfigError


def find_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Its first use reads files.

    Raises:
        DifyConfigError: No database on this machine has it. Windows and slim images have none at all.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a folder of the database ("America") is an OSError
        raise DifyConfigError(
            f"the time zone {name[:60]!r} is not in this machine's time zone database;"
            " install the package tzdata (pip install tzdata)"
        ) from None
