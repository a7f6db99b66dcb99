"""Clients of the fake, and a fake that is served in a thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import date

import pytest

from dify_async import DashboardFeed, DifyLoginError
from dify_async.testing import FakeDifyServer
from tests.support import ONCE

TODAY = date(2026, 10, 31)
FORK = """
import os, sys, time
from dify_async.testing import FakeDifyServer
from tests.support import ONCE

with FakeDifyServer(apps=1) as fake:
    child = os.fork()
    if child == 0:
        sys.exit(0)
    print(os.waitpid(child, 0)[1])
"""


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dify_async")]


def test_a_fake_for_synchronous_code() -> None:
    with FakeDifyServer(today=TODAY) as fake, fake.sync_client() as dify:
        assert {app.id for app in dify.apps()} == {app.id for app in fake.apps}
        chat = fake.apps[0]
        fake.set_statistics(chat, "daily_messages", {TODAY: 7})
        dashboard = dify.dashboard(days=3)
        assert dashboard.period.days[-1] == TODAY
        assert {app.app_id: app for app in dashboard.apps}[chat.id].series["daily_messages"].values[-1] == 7
        assert repr(dify) == f"DifyServer({fake.base_url!r})"
        assert sorted(threads()) == ["dify_async", "dify_async fake"]
    assert threads() == []


async def test_a_fake_in_a_thread_serves_asynchronous_code() -> None:
    with FakeDifyServer(today=TODAY) as fake:
        async with fake.client() as dify, DashboardFeed(dify, days=2) as feed:
            assert (await feed.get()).dashboard.period.days[-1] == TODAY
            assert repr(dify) == f"AsyncDifyServer({fake.base_url!r})"
    assert threads() == []


async def test_the_arguments_of_a_client() -> None:
    async with FakeDifyServer("1.17.0", admin_api_key="Admin-Key-1") as fake:
        async with fake.client(admin_api_key="Admin-Key-1", workspace_id=fake.workspace_id) as dify:
            assert len(await dify.apps()) == len(fake.apps)
        assert fake.count("POST", "/login") == 0
        async with fake.client(password="Wrong-Password-1") as dify:
            with pytest.raises(DifyLoginError):
                await dify.apps()
        fake.password = "Another-Pass-42"
        async with fake.client(max_concurrency=1) as dify:
            await dify.apps()


def test_entering_twice() -> None:
    fake = FakeDifyServer(apps=1)
    with pytest.raises(RuntimeError, match="no URL before"):
        fake.client()
    with fake:
        url = fake.base_url
        with pytest.raises(RuntimeError, match="running already"), fake:
            pass
        assert fake.base_url == url
        with fake.sync_client() as dify:
            assert len(dify.apps()) == 1
    with fake, fake.sync_client() as dify:
        assert len(dify.apps()) == 1
    assert threads() == []


def test_a_port_in_use() -> None:
    with FakeDifyServer(apps=1) as fake:
        port = int(fake.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), FakeDifyServer(port=port):
            pass


def test_an_error_of_the_test_is_raised_and_not_that_of_the_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_app(*_: object) -> None:
        raise ZeroDivisionError

    def ask(fake: FakeDifyServer) -> None:
        monkeypatch.setattr(fake._state, "find_app", find_app)
        with fake.sync_client(retry=ONCE) as dify, pytest.raises(Exception, match="500"):
            dify.app(fake.apps[0].id)

    with pytest.raises(ZeroDivisionError), FakeDifyServer(apps=1) as fake:
        ask(fake)
    with pytest.raises(LookupError), FakeDifyServer(apps=1) as fake:  # noqa: PT012 - two errors
        ask(fake)
        raise LookupError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_a_forked_child_does_not_wait_for_the_thread() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "0\n"
