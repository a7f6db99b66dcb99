"""Tests that run on another date see that date, and so do the programs that they start."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from tests.clock import MOMENTS, clock_at


@pytest.mark.slow
@pytest.mark.parametrize("name", MOMENTS)
def test_the_clock_moves_and_keeps_running(name: str) -> None:
    real = time.time(), time.monotonic()
    moment = datetime.fromisoformat(MOMENTS[name])
    with clock_at(MOMENTS[name]):
        first = datetime.now(UTC)
        script = "import time; print(time.time())"
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        last = datetime.now(UTC)
        assert 0 <= (first - moment).total_seconds() < 30
        assert first.timestamp() < float(ended.stdout) < last.timestamp()
    assert 0 <= time.time() - real[0] < 60
    assert 0 <= time.monotonic() - real[1] < 60
