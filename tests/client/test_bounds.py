"""Invalid bounds of ranges: every method names the argument, before it sends anything."""

from __future__ import annotations

import inspect
from datetime import date
from typing import Any

import pytest

from dify_async import AppStatistics, AsyncDifyServer, DifyConfigError
from dify_async.testing import FakeDifyServer
from tests.client.test_ids import arguments, called

BOUNDS = ("start", "end", "start_date", "end_date")
PARAMETERS = [
    (method, name)
    for method, function in inspect.getmembers(AsyncDifyServer, inspect.isfunction)
    if not method.startswith("_")
    for name in inspect.signature(function).parameters
    if name in BOUNDS
]


@pytest.fixture
def version() -> str:
    return "1.17.0"


def test_the_methods_with_bounds_are_found() -> None:
    assert {name for _, name in PARAMETERS} == {*BOUNDS}
    assert len(PARAMETERS) > 40


async def test_an_invalid_bound(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    for method, name in PARAMETERS:
        rule = f'{name} must be a datetime, a date or an ISO 8601 string such as "2026-10-01 08:00", got '
        for value, text in (
            ("yesterday", f"{rule}'yesterday'"),
            (1793000000, f"{rule}1793000000"),
            (date(1, 1, 1), f"the year of {name} must be from 2 to 9998, got 0001-01-01 00:00:00"),
        ):
            fake.reset_counters()
            with subtests.test(method=method, name=name, value=value):
                with pytest.raises(DifyConfigError) as refused:
                    await called(dify, method, arguments(method, **{name: value}))
                assert str(refused.value) == text
                assert fake.count() == 0


def test_filled() -> None:
    found = AppStatistics(app_id="1", app_name="a", mode="chat")
    bound: Any = 5
    with pytest.raises(DifyConfigError, match=r"^end must be a datetime"):
        found.filled(date(2026, 10, 1), bound)
