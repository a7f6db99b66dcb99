"""A short run of the fuzzer; `nox -s fuzz` is the long one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.target import WORDS, check, seeds

pytestmark = pytest.mark.slow

SEEDS = list(dict.fromkeys(seeds()))  # many versions answer alike


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A captured answer with some bytes changed."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8) | st.sampled_from(WORDS))
    return bytes(data)


def test_every_captured_answer() -> None:
    for seed in SEEDS:
        check(seed)


@settings(max_examples=250)
@given(mutated() | st.binary())
def test_any_answer_is_a_value_or_an_error(data: bytes) -> None:
    check(data)
