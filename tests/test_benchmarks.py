"""Each benchmark runs, once and small, and gives the figures that have a gate; none is judged here."""

from __future__ import annotations

import math

import pytest

from benchmarks.__main__ import CASES, table_of
from benchmarks.gates import GATES
from benchmarks.measure import Effort

pytestmark = pytest.mark.slow

_SMALL = Effort(rounds=1, calls=8, scale=0.01)


@pytest.mark.parametrize("case", CASES)
async def test_a_case(case: str) -> None:
    figures = await CASES[case](_SMALL)
    assert figures
    assert figures.keys() <= GATES.keys()
    assert all(math.isfinite(value) for value in figures.values())
    assert table_of(figures).row_count == len(figures)


def test_a_gate_holds_on_its_own_side() -> None:
    most, least = GATES["a page of 100 apps / bare"], GATES["httpx + pydantic / ours, 8 at once"]
    assert most.holds(most.limit)
    assert not most.holds(most.limit + 0.01)
    assert least.holds(least.limit)
    assert not least.holds(least.limit - 0.01)
