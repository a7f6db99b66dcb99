"""Dates and times at which tests that pass on other days may fail."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
import time_machine

# The fake's days are in New York time, and it has no traffic on Sundays.
MOMENTS: Final = {
    "Sunday": "2026-11-15T12:00-05:00",
    "Monday at 00:05": "2026-11-16T00:05-05:00",
    "last day of a month": "2026-09-30T12:00-04:00",
    "first day of a month": "2026-10-01T12:00-04:00",
    "29 February": "2028-02-29T12:00-05:00",
    "clocks go forward": "2027-03-14T03:05-04:00",
    "clocks go back": "2026-11-01T01:05-05:00",  # 01:05 for the second time
    "end of a year in UTC": "2026-12-31T23:59+00:00",
}
# Read by sitecustomize.py in Python processes started by a test.
VARIABLE: Final = "DIFY_ASYNC_TESTS_CLOCK"


@contextmanager
def clock_at(moment: str) -> Iterator[None]:
    """Move the running clock of this process and its child processes; monotonic clocks stay."""
    ahead = datetime.fromisoformat(moment).timestamp() - time.time()
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    with pytest.MonkeyPatch.context() as patch, time_machine.travel(time.time() + ahead):
        patch.setenv(VARIABLE, str(ahead))
        patch.setenv("PYTHONPATH", path)
        yield
