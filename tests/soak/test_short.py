"""Short soak tests; `nox -s soak` runs the long one."""

from __future__ import annotations

import pytest

from tests.soak.run import Plan, soak

pytestmark = pytest.mark.slow


async def test_no_promise_is_broken_by_faults_and_a_redis_outage() -> None:
    result = await soak(Plan(processes=2, tasks=20, seconds=4.0, outages=1, outage=1.0))
    assert result.broken() == []
    assert result.faults > 5
    assert result.refreshes >= 2
    assert sum(sum(report.calls.values()) for report in result.reports) > 20


async def test_processes_share_logins_and_refreshes() -> None:
    """Without a Redis outage, all processes together refresh once per token lifetime."""
    result = await soak(Plan(processes=3, tasks=10, seconds=6.0, outages=0))
    assert result.broken() == []
    assert result.refreshes >= 2
