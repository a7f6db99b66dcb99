"""All public classes: incomplete instances, copies and pickles."""

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
        # These are never incomplete.
        and not issubclass(value, Struct | BaseException | Enum)
        and not is_dataclass(value)
        and value.__init__ is not object.__init__
    },
    key=lambda value: str(value.__name__),
)


def test_which_classes_are_tested() -> None:
    assert {AsyncDifyServer, DifyServer, DashboardFeed, RedisTokenStore, FakeDifyServer} <= {*PUBLIC}


@pytest.mark.parametrize("kind", PUBLIC)
def test_the_repr_of_an_instance_without_init(kind: type[Any]) -> None:
    """For example, a subclass raised an error before it called super().__init__()."""
    incomplete = kind.__new__(kind)  # type: ignore[call-overload]  # a class, not `type`
    assert kind.__name__.removeprefix("Async") in repr(incomplete)


INVALID: dict[str, Callable[[], object]] = {
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


@pytest.mark.parametrize("name", INVALID)
def test_all_local_variables_of_an_error_have_a_repr(name: str) -> None:
    """Sentry, rich and pytest --showlocals print the local variables of each frame."""
    with pytest.raises(DifyConfigError) as refused:
        INVALID[name]()
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
    assert len(frames) > 2
    for frame in frames:
        for value in frame.f_locals.values():
            repr(value)


@pytest.mark.parametrize("url", [f"redis://:{SECRET}@127.0.0.1:x/0", f"redis://:{SECRET}@h?a=1"])
async def test_no_frame_of_an_invalid_redis_url_shows_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFY_REDIS_URL", url)
    with pytest.raises(DifyConfigError) as refused:
        await AsyncDifyServer(URL, "a@example.com", "another").__aenter__()
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
async def test_objects_of_one_process_cannot_be_pickled_or_copied(do: Callable[[Any], object]) -> None:
    """openai-python#837, openai-python#1776, dask#5745, toloka-kit PR 136."""
    async with FakeDifyServer(apps=1) as fake, client(fake) as dify, DashboardFeed(dify) as feed:
        await feed.get()
        for value in (
            *(AsyncDifyServer(*ACCOUNT), DifyServer(*ACCOUNT), dify, feed, DashboardFeed(dify)),
            *(MemoryTokenStore(), RedisTokenStore("redis://127.0.0.1/0"), fake, FakeDifyServer()),
        ):
            with pytest.raises(TypeError) as caught:
                do(value)
            text = str(caught.value)
            assert text.startswith(f"{type(value).__name__} cannot be pickled or copied; ")
            assert "process" in text


def test_values_can_be_copied() -> None:
    policy = RetryPolicy(attempts=2)
    for copied in (copy.copy(policy), copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert copied == policy
