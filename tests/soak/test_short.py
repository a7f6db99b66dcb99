"""The soak in a short form; `nox -s soak` is the long one."""

from __future__ import annotations

import pytest

from tests.soak.run import Plan, soak

pytestmark = pytest.mark.slow


async def test_nothing_breaks_under_faults_and_an_outage_of_redis() -> None:
    result = await soak(Plan(processes=2, tasks=20, seconds=4.0, outages=1, outage=1.0))
    assert result.broken() == []
    assert result.faults > 5
    assert result.refreshes >= 2
    assert sum(sum(report.calls.values()) for report in result.reports) > 20


async def test_processes_share_each_sign_in_and_each_renewal() -> None:
    """Without outages, which let each go its own way: one renewal a lifetime for all of them."""
    result = await soak(Plan(processes=3, tasks=10, seconds=6.0, outages=0))
    assert result.broken() == []
    assert result.refreshes >= 2
