"""The CPU time of a single call."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from benchmarks import bodies
from benchmarks.contenders.on_aiohttp import Bare, BareWithNewUrls, Idiomatic, Ours
from benchmarks.measure import Effort, Figures, Work, in_turns, repeated, server
from dify_async import App, Metric
from dify_async._api.endpoints import STATISTICS
from dify_async.models import Page, TokenCosts
from dify_async.models.base import Rows

_MANY_APPS = 100_000  # more than the URL cache holds
_TURNS = 5  # per round: the shorter, the less a machine drifts between the works


async def against_aiohttp(effort: Effort) -> Figures:
    """Against handwritten loops with the same libraries and types."""
    figures: Figures = {}
    with server() as url:
        async with AsyncExitStack() as stack:
            ours, bare, idiomatic = [
                await stack.enter_async_context(one(url)) for one in (Ours, Bare, Idiomatic)
            ]
            for at_once in (1, 8, 64):
                contenders = {"ours": ours, "bare": bare}
                if at_once == 8:
                    contenders["idiomatic"] = idiomatic
                works = _works(contenders, effort.calls // _TURNS, at_once)
                costs = await in_turns(works, effort.rounds * _TURNS)
                figures[f"a statistic, {at_once} at once / bare"] = costs.ratio("ours", "bare")
                if at_once == 8:
                    figures["idiomatic aiohttp + msgspec / ours"] = costs.ratio("idiomatic", "ours")
    return figures


async def with_new_urls(effort: Effort) -> Figures:
    """Against handwritten loops, if each URL is requested for the first time."""
    with server() as url:
        async with Ours(url, apps=_MANY_APPS) as ours, BareWithNewUrls(url) as bare:
            begun = {"ours": 0, "bare": 0}

            def work(name: str, contender: Any) -> Work:
                async def run() -> None:
                    first = begun[name]
                    begun[name] += effort.calls
                    await repeated(lambda number: contender.call(first + number), effort.calls, 8)

                return run

            costs = await in_turns({"ours": work("ours", ours), "bare": work("bare", bare)}, effort.rounds)
    return {"a statistic, new URLs / bare": costs.ratio("ours", "bare")}


async def pages(effort: Effort) -> Figures:
    """A page of 100 apps; most of its cost is decoding."""
    decode = msgspec.json.Decoder(Page[App], strict=False).decode
    calls = effort.calls // 4
    with server("--apps", "100") as url:
        async with Ours(url) as ours, Bare(url) as bare:
            target = f"{url}/console/api/apps?page=1&limit=100"

            async def handwritten(_: int) -> None:
                async with bare.session.get(target) as answer:
                    decode(await answer.read())

            async def with_client(_: int) -> None:
                await ours.dify.apps_page(limit=100)

            works: dict[str, Work] = {
                "ours": partial(repeated, with_client, calls, 8),
                "bare": partial(repeated, handwritten, calls, 8),
            }
            costs = await in_turns(works, effort.rounds)
    return {"a page of 100 apps / bare": costs.ratio("ours", "bare")}


async def eras(effort: Effort) -> Figures:
    """Three cookies and a CSRF header per call, against one bearer header."""
    with server("--version", "1.11.2") as cookies, server("--version", "1.9.1") as bearer:
        async with Ours(cookies) as new, Ours(bearer) as old:
            costs = await in_turns(_works({"new": new, "old": old}, effort.calls, 8), effort.rounds)
    return {"cookie era / bearer era": costs.ratio("new", "old")}


async def own_layer(effort: Effort) -> Figures:
    """The overhead of this client: aiohttp's session is a stub, for it and for the bare loop."""
    calls = effort.calls * 10
    with server() as url:
        async with Ours(url) as ours, Bare(url) as bare:
            await ours.call(0)
            stub = _StubSession(bodies.statistics()["token-costs"])
            own_session, ours.dify._transport._session = ours.dify._transport._session, stub  # type: ignore[assignment]  # has the methods that are used
            bare_session, bare.session = bare.session, stub  # type: ignore[assignment]  # has the methods that are used
            works: dict[str, Work] = {
                "ours": partial(repeated, ours.call, calls, 1),
                "bare": partial(repeated, bare.call, calls, 1),
            }
            costs = await in_turns(works, effort.rounds)
            ours.dify._transport._session, bare.session = own_session, bare_session
    return {"own layer, over the bare loop": (costs.cpu("ours") - costs.cpu("bare")) / calls * 1e6}


async def decoding(effort: Effort) -> Figures:
    """90 days of token costs, with dates and Decimals."""
    body = bodies.statistics()["token-costs"]
    bare = msgspec.json.Decoder(Rows[TokenCosts], strict=False).decode

    async def decode(by: Any) -> None:
        for _ in range(effort.calls * 2):
            by(body)

    works: dict[str, Work] = {
        "ours": partial(decode, STATISTICS[Metric.TOKEN_COSTS].decoder()),
        "bare": partial(decode, bare),
    }
    costs = await in_turns(works, effort.rounds)
    return {"decoding 90 days / bare decoder": costs.ratio("ours", "bare")}


async def queued(effort: Effort) -> Figures:
    """Many calls started at the same time, at the default concurrency."""
    numbers = [effort.sized(number) for number in (10, 100, 1000, 10_000)]
    async with AsyncExitStack() as stack:
        url = stack.enter_context(server())
        ours = Ours(url)
        ours.dify._limiter._limit = 8
        ours.dify._limiter._allowed = 8
        await stack.enter_async_context(ours)

        async def run(number: int) -> None:
            # The same total number of calls each time, so that costs are comparable.
            for _ in range(max(1, numbers[-1] // number)):
                await repeated(ours.call, number, number)

        works: dict[str, Work] = {str(number): partial(run, number) for number in numbers}
        costs = await in_turns(works, max(3, effort.rounds // 2))
    per_call = [costs.cpu(str(number)) / (max(1, numbers[-1] // number) * number) for number in numbers]
    return {"10 to 10,000 calls queued: dearest / cheapest call": max(per_call) / min(per_call)}


def _works(contenders: dict[str, Any], calls: int, at_once: int) -> dict[str, Work]:
    return {name: partial(repeated, contender.call, calls, at_once) for name, contender in contenders.items()}


class _StubSession:
    """A session that answers immediately."""

    closed = False

    def __init__(self, body: bytes) -> None:
        self._answer = _StubAnswer(body)

    def request(self, *_: object, **__: object) -> _StubAnswer:
        return self._answer

    get = request


class _StubAnswer:
    status = 200
    headers = CIMultiDictProxy(CIMultiDict({"X-Version": "1.11.2"}))

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._left: bytes | None = None
        self.content = self

    async def __aenter__(self) -> Self:
        self._left = self._body
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self) -> bytes:
        return self._body

    async def readany(self) -> bytes:
        left, self._left = self._left, b""
        return left or b""
