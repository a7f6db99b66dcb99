"""Generators and streams: left early, failing, garbage collected, and passed to other calls."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dify_async import DifyConfigError, DifyError, DifyServerError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app
from tests.sync.support import sync_client, under_way, wait_until


class Rows:
    """An asynchronous generator with an event for its closing."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    async def rows(self) -> AsyncIterator[int]:
        try:
            for row in range(10):
                yield row
        finally:
            self.closed.set()

    @asynccontextmanager
    async def block(self) -> AsyncIterator[AsyncIterator[int]]:
        try:
            yield self.rows()
        finally:
            self.closed.set()


def test_closing_a_generator_closes_the_asynchronous_one(dify: DifyServer) -> None:
    given = Rows()
    rows = dify._rows(given.rows())
    assert [next(rows), next(rows)] == [0, 1]
    assert not given.closed.is_set()
    rows.close()
    assert given.closed.wait(10)
    with pytest.raises(StopIteration):
        next(rows)
    wait_until(lambda: under_way(dify) == 0)


def test_a_generator_that_is_garbage_collected_on_the_clients_thread(dify: DifyServer) -> None:
    given = Rows()
    kept: list[Any] = [dify._rows(given.rows())]
    next(kept[0])
    kept.append(kept)

    async def collect() -> None:
        kept.clear()
        gc.collect()

    dify._call(collect)
    assert given.closed.wait(10)


def test_leaving_a_loop_early_leaks_nothing(fake: FakeDifyServer, dify: DifyServer) -> None:
    iterators: list[Callable[[], Any]] = [
        lambda: dify.iter_apps(page_size=3),
        lambda: dify.iter_chat_conversations(an_app(fake), page_size=1),
        lambda: dify.iter_datasets_page(limit=1),
    ]
    for iterator in iterators:
        rows = iterator()
        next(rows)
        sent = fake.count()
        rows.close()
        wait_until(lambda: under_way(dify) == 0)
        assert fake.count() == sent


def test_closing_the_client_during_a_generator(fake: FakeDifyServer) -> None:
    with sync_client(fake) as dify:
        rows = dify.iter_apps(page_size=3)
        next(rows)
    with pytest.raises(DifyError, match="not open"):
        list(rows)


def test_leaving_a_stream_early_cancels_its_requests(fake: FakeDifyServer, dify: DifyServer) -> None:
    apps = dify.apps()
    fake.inject("/apps/*/statistics/daily-messages", delay=60)  # workflows do not have this metric
    workflow = next(app for app in apps if app.mode == "workflow")
    with dify.stream_statistics([workflow, *apps], "2026-01-01 00:00") as arriving:
        assert next(arriving).app_id == workflow.id
        assert under_way(dify) > 0
    assert under_way(dify) == 0
    with pytest.raises(ZeroDivisionError), dify.stream_dashboard(days=1) as updates:
        assert next(updates).done / 0
    assert under_way(dify) == 0
    fake.inject("/apps/*/workflow/statistics/*", delay=60)
    with dify.stream_dashboard(days=1):
        pass
    assert under_way(dify) == 0


def test_a_failure_is_raised_by_the_loop_and_by_the_block(fake: FakeDifyServer, dify: DifyServer) -> None:
    apps = dify.apps()
    fake.inject("/apps/*/statistics/*", status=500)
    failing = pytest.raises(DifyServerError)
    with failing, dify.stream_statistics(apps, on_error="raise") as arriving, pytest.raises(DifyServerError):
        list(arriving)
    with failing, dify.stream_dashboard(days=1, on_error="raise") as updates, pytest.raises(DifyServerError):
        updates.collect()
    assert under_way(dify) == 0


def test_an_unseen_failure_is_raised_on_leaving(fake: FakeDifyServer, dify: DifyServer) -> None:
    apps = dify.apps()
    fake.inject("/apps/*", status=500)
    with pytest.raises(DifyServerError), dify.stream_statistics(apps, on_error="raise"):
        wait_until(lambda: under_way(dify) == 0)


def test_invalid_arguments_are_raised_on_entering(dify: DifyServer) -> None:
    with pytest.raises(DifyConfigError), dify.stream_statistics("one", "2026-01-01 00:00"):
        pytest.fail("it was entered")
    with pytest.raises(DifyConfigError), dify.stream_dashboard(days=0):
        pytest.fail("it was entered")
    assert under_way(dify) == 0


def test_a_dashboard_stream(dify: DifyServer) -> None:
    with dify.stream_dashboard(days=2, compare=True) as updates:
        first = next(updates)
        assert (first.done, first.total) == (1, updates.total) == (1, 12)
        assert len(updates.dashboard().apps) == 1
        assert [update.done for update in updates] == list(range(2, 13))
        assert next(updates, None) is None
    whole = updates.dashboard()
    assert (whole.period, whole.previous_period) == (updates.period, updates.previous_period)
    assert {app.app_id for app in whole.apps} == {app.id for app in dify.apps()}


def test_the_generator_of_one_call_can_be_passed_to_another(dify: DifyServer) -> None:
    """The generator calls the client, so it is consumed on the caller's thread."""
    found = dify.statistics_many(dify.iter_apps(page_size=5), "2026-01-01 00:00")
    assert [app.app_id for app in found] == [app.id for app in dify.apps()]
    with pytest.raises(DifyConfigError, match="one app"):
        dify.statistics_many("one")


def test_closing_the_client_inside_a_block(fake: FakeDifyServer) -> None:
    given = Rows()
    dify = sync_client(fake)
    with dify:
        block = dify._stream(given.block())
        assert next(block.__enter__()) == 0
    assert given.closed.is_set()
    with pytest.raises(DifyError, match="closed"):
        block.__exit__(None, None, None)


def test_closing_the_client_while_a_thread_waits_in_a_block(fake: FakeDifyServer) -> None:
    def use() -> None:
        with dify.stream_statistics(apps, on_error="collect") as arriving:
            list(arriving)

    with ThreadPoolExecutor(1) as pool, sync_client(fake) as dify:
        apps = dify.apps()
        fake.inject("/apps/*", delay=60)
        using = pool.submit(use)
        wait_until(lambda: fake.count(path="/apps/*") > 0)
    assert isinstance(using.exception(10), DifyError)
