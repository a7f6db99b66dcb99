"""What holds for all public classes: half-made ones, copies and pickles."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

import pytest
from msgspec import Struct

import dify_async
import dify_async.sync
import dify_async.testing
from dify_async import (
    AsyncDifyServer,
    DashboardFeed,
    DifyConfigError,
    MemoryTokenStore,
    RedisTokenStore,
    RetryPolicy,
)
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import client

URL = "http://127.0.0.1:1"
SECRET = "hunter2"
ACCOUNT = (URL, "a@example.com", SECRET)
PUBLIC = sorted(
    {
        value
        for module in (dify_async, dify_async.sync, dify_async.testing)
        for name in module.__all__
        if inspect.isclass(value := getattr(module, name))
        # These are made whole or not at all.
        and not issubclass(value, Struct | BaseException | Enum)
        and not is_dataclass(value)
        and value.__init__ is not object.__init__
    },
    key=lambda value: str(value.__name__),
)


def test_classes_that_are_looked_at() -> None:
    assert {AsyncDifyServer, DifyServer, DashboardFeed, RedisTokenStore, FakeDifyServer} <= {*PUBLIC}


@pytest.mark.parametrize("kind", PUBLIC)
def test_the_repr_of_one_whose_constructor_did_not_run(kind: type[Any]) -> None:
    """As when a subclass refuses its arguments before it calls super().__init__()."""
    half_made = kind.__new__(kind)  # type: ignore[call-overload]  # any class, and not `type`
    assert kind.__name__.removeprefix("Async") in repr(half_made)


REFUSED: dict[str, Callable[[], object]] = {
    "no credentials": lambda: AsyncDifyServer(URL),
    "a user in base_url": lambda: AsyncDifyServer("http://a@127.0.0.1", "a@example.com", "x"),
    "sync: no credentials": lambda: DifyServer(URL),
    "a Redis URL": lambda: RedisTokenStore(f"redis://:{SECRET}@127.0.0.1:x/0"),
    "an option in a Redis URL": lambda: RedisTokenStore(f"redis://:{SECRET}@127.0.0.1/0?nonsense=1"),
    "lock_timeout": lambda: RedisTokenStore("redis://127.0.0.1/0", lock_timeout=0),
    "encryption_key": lambda: RedisTokenStore("redis://127.0.0.1/0", encryption_key=SECRET),
    "a policy": lambda: RetryPolicy(attempts=0),
    "a feed": lambda: DashboardFeed(AsyncDifyServer(*ACCOUNT), 0),
    "a fake": lambda: FakeDifyServer(timezone="Nowhere/Nowhere"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_all_that_a_traceback_of_a_refusal_holds_has_a_repr(name: str) -> None:
    """Tools print the local variables of each frame: Sentry, rich, pytest --showlocals."""
    with pytest.raises(DifyConfigError) as refused:
        REFUSED[name]()
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
    assert len(frames) > 2
    for frame in frames:
        for value in frame.f_locals.values():
            repr(value)


@pytest.mark.parametrize("url", [f"redis://:{SECRET}@127.0.0.1:x/0", f"redis://:{SECRET}@h?a=1"])
def test_no_frame_of_a_refused_redis_url_holds_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFY_REDIS_URL", url)
    with pytest.raises(DifyConfigError) as refused:
        AsyncDifyServer(URL, "a@example.com", "another")
    error: BaseException | None = refused.value
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"] != __name__:
                assert SECRET not in repr(frame.f_locals)
        error = error.__context__


COPIES: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "old pickle": lambda value: pickle.dumps(value, protocol=0),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("do", COPIES.values(), ids=COPIES)
async def test_what_belongs_to_one_process_says_so(do: Callable[[Any], object]) -> None:
    """openai-python#837, openai-python#1776, dask#5745, toloka-kit PR 136."""
    async with FakeDifyServer(apps=1) as fake, client(fake) as dify, DashboardFeed(dify) as feed:
        await feed.get()
        for value in (
            *(AsyncDifyServer(*ACCOUNT), DifyServer(*ACCOUNT), dify, feed, DashboardFeed(dify)),
            *(MemoryTokenStore(), RedisTokenStore("redis://127.0.0.1/0"), fake, FakeDifyServer()),
        ):
            with pytest.raises(TypeError) as refused:
                do(value)
            text = str(refused.value)
            assert text.startswith(f"{type(value).__name__} cannot be pickled or copied; ")
            assert "process" in text


def test_what_is_only_values_is_copied() -> None:
    policy = RetryPolicy(attempts=2)
    for copied in (copy.copy(policy), copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert copied == policy
