"""Each benchmark runs once with little effort; its figures have gates, which are not checked here."""

from __future__ import annotations

import math

import pytest

from benchmarks.__main__ import CASES, table_of
from benchmarks.compare import compare, worse_by
from benchmarks.gates import GATES
from benchmarks.measure import Effort
from tests.documents import ROOT

pytestmark = pytest.mark.slow

_SMALL = Effort(rounds=1, calls=8, scale=0.01)


@pytest.mark.parametrize("case", CASES)
async def test_a_case(case: str) -> None:
    figures = await CASES[case](_SMALL)
    assert figures
    assert figures.keys() <= GATES.keys()
    assert all(math.isfinite(value) for value in figures.values())
    assert table_of(figures).row_count == len(figures)


def test_gates_are_upper_or_lower_limits() -> None:
    most, least = GATES["a page of 100 apps / bare"], GATES["httpx + pydantic / ours, 8 at once"]
    assert most.holds(most.limit)
    assert not most.holds(most.limit + 0.01)
    assert least.holds(least.limit)
    assert not least.holds(least.limit - 0.01)


def test_two_trees_are_compared_in_turns() -> None:
    before, after = compare((ROOT, ROOT), ["decoding"], rounds=2, effort="QUICK")
    assert before.keys() == after.keys() <= GATES.keys()
    assert all(len(values) == 2 for values in [*before.values(), *after.values()])


def test_worse_is_higher_or_lower_by_the_gate() -> None:
    assert worse_by("a page of 100 apps / bare", 1.0, 1.03) == pytest.approx(0.03)
    assert worse_by("a page of 100 apps / bare", 1.0, 0.5) < 0
    assert worse_by("httpx + pydantic / ours, 8 at once", 6.0, 5.0) == pytest.approx(0.2)
    assert worse_by("connections of the next four", 0, 0) == 0
    assert worse_by("connections of the next four", 0, 1) == math.inf
