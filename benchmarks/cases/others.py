"""The CPU time of the same call with other libraries."""

from __future__ import annotations

from functools import partial

from benchmarks.contenders import Contender
from benchmarks.contenders.on_aiohttp import Ours
from benchmarks.measure import Effort, Figures, Work, in_turns, repeated, server


async def other_libraries(effort: Effort) -> Figures:
    """Each interleaved with this client."""
    from benchmarks.contenders.with_pydantic import (  # noqa: PLC0415 - they take long to import
        Httpx,
        Httpx2,
        Niquests,
        RequestsInThreads,
    )

    cases: list[tuple[str, type[Contender], int]] = [
        ("httpx + pydantic", Httpx, 8),
        ("httpx + pydantic", Httpx, 64),
        ("httpx2 + pydantic", Httpx2, 8),
        ("httpx2 + pydantic", Httpx2, 64),
        ("niquests + pydantic", Niquests, 8),
        ("requests in threads + pydantic", RequestsInThreads, 8),
    ]
    figures: Figures = {}
    calls = max(8, effort.calls // 5)
    with server() as url:
        for name, make, at_once in cases:
            async with Ours(url) as ours, make(url) as other:
                works: dict[str, Work] = {
                    "ours": partial(repeated, ours.call, calls, at_once),
                    "other": partial(repeated, other.call, calls, at_once),
                }
                costs = await in_turns(works, min(3, effort.rounds))
            figures[f"{name} / ours, {at_once} at once"] = costs.ratio("other", "ours")
    return figures
