"""Fake consoles, and the page in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from dify_async.testing import FakeDifyServer
from tests.web.browser import APPS, Browser, wait_for_all
from tests.web.support import served


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=6) as server:
        yield server


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    browser = Browser()
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="package")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="package")
def _fake_of_all(portal: BlockingPortal) -> Iterator[FakeDifyServer]:
    with portal.wrap_async_context_manager(FakeDifyServer(apps=APPS)) as fake:
        yield fake


@pytest.fixture
def console(_fake_of_all: FakeDifyServer) -> Iterator[FakeDifyServer]:
    """Without faults, with the same apps in each test."""
    apps = list(_fake_of_all.apps)
    _fake_of_all.reset_counters()
    yield _fake_of_all
    _fake_of_all.remove_faults()
    _fake_of_all.apps[:] = apps


@pytest.fixture(scope="package")
def _url_of_all(_fake_of_all: FakeDifyServer, portal: BlockingPortal) -> Iterator[str]:
    with portal.wrap_async_context_manager(served(_fake_of_all, demo=True)) as url:
        yield f"{url}/"


@pytest.fixture
def url(_url_of_all: str, console: FakeDifyServer) -> str:  # noqa: ARG001 - it is there first
    return _url_of_all


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Browser]:
    """The loaded page; afterwards, its console and its requests are checked."""
    browser.open(url)
    wait_for_all(browser)
    yield browser
    assert browser.complaints() == []
    assert {asked for asked in browser.asked_urls() if not asked.startswith(url)} == set()
