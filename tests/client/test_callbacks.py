"""Callbacks are plain functions, since a coroutine would never be awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import lru_cache, partial, wraps
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DifyConfigError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app

ACCOUNT = ("http://127.0.0.1:1", "a@example.com", "p")


async def coroutine_function(*_: object) -> None: ...


async def async_generator(*_: object) -> AsyncIterator[None]:
    yield


class Awaited:
    async def __call__(self, *_: object) -> None: ...

    async def method(self, *_: object) -> None: ...

    @lru_cache  # noqa: B019 - the instance lives as long as the tests
    async def cached(self, *_: object) -> None: ...


class Plain:
    def __call__(self, *_: object) -> None: ...

    def method(self, *_: object) -> None: ...


def plain(*_: object) -> None: ...


@wraps(coroutine_function)
def starter(*_: object) -> None: ...


COROUTINES: dict[str, Any] = {
    "function": coroutine_function,
    "partial": partial(coroutine_function, 1),
    "partial of a partial": partial(partial(coroutine_function, 1), 2),
    "cached": lru_cache(coroutine_function),
    "partial of a cached one": partial(lru_cache(coroutine_function), 1),
    "cached method": Awaited().cached,
    "object": Awaited(),
    "partial of an object": partial(Awaited(), 1),
    "method": Awaited().method,
    "generator": async_generator,
}
PLAIN: dict[str, Any] = {
    "function": plain,
    "partial": partial(plain, 1),
    "cached": lru_cache(plain),
    "wrapper that starts a task": starter,
    "object": Plain(),
    "method": Plain().method,
    "class": Plain,
    "lambda": lambda *_: None,
    "built-in": [].append,
    "None": None,
}


MAKERS: list[Callable[..., object]] = [AsyncDifyServer, DifyServer]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", COROUTINES)
def test_coroutines_as_on_event_are_refused(make: Callable[..., object], kind: str) -> None:
    with pytest.raises(DifyConfigError, match="on_event must be a plain function, got a coroutine"):
        make(*ACCOUNT, on_event=COROUTINES[kind])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", PLAIN)
def test_plain_functions_as_on_event_are_taken(make: Callable[..., object], kind: str) -> None:
    make(*ACCOUNT, on_event=PLAIN[kind])


@pytest.mark.parametrize("version", ["1.11.2"])
async def test_progress_is_refused_before_anything_is_sent(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    for callback in (coroutine_function, Awaited(), 5):
        progress: Any = callback
        with pytest.raises(DifyConfigError, match="progress must be a"):
            await dify.ensure_app_api_keys([an_app(fake)], progress=progress)
        with pytest.raises(DifyConfigError, match="progress must be a"):
            await dify.rotate_app_api_keys([an_app(fake)], progress=progress)
    assert fake.count() == 0
