"""Fixtures and options for all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
from blockbuster import blockbuster_ctx

from dify_async import AsyncDifyServer
from dify_async._auth import login_guard
from dify_async.testing import FakeDifyServer
from tests.clock import MOMENTS, clock_at
from tests.redis_server import RedisServer
from tests.support import ERAS, client

# No deadline, since a busy machine misses it; no database, since two workers would share it. Few examples,
# since each run tries others.
hypothesis.settings.register_profile("suite", deadline=None, database=None, max_examples=50)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dates", action="store_true", help="run each test on every date of tests/clock")


def pytest_xdist_auto_num_workers() -> int:
    """One more than the processors: a third of the time of a test is waiting."""
    return (os.cpu_count() or 1) + 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.config.getoption("dates"):
        metafunc.fixturenames.insert(0, "_date")
        # With session scope, all tests of one date run in a row.
        metafunc.parametrize("_date", MOMENTS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def _date(request: pytest.FixtureRequest) -> Iterator[None]:
    with clock_at(MOMENTS[request.param]):
        yield


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp and redis need asyncio."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _quick_fingerprints() -> Iterator[None]:
    """The hash of a password takes 0.1 s of CPU by design, and nearly every test logs in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(login_guard, "_ROUNDS", 1)
        yield


@pytest.fixture(scope="module", autouse=True)
def _freeze_objects() -> None:
    """Collections after this look only at newer objects, and so take little time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _few_collections() -> Iterator[None]:
    """What a test creates stays in the youngest generations, so that collecting it takes little time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, *thresholds[1:])
    yield
    gc.set_threshold(*thresholds)


@pytest.fixture(autouse=True)
def _collect_garbage() -> Iterator[None]:
    """A warning about a resource that was not closed fails the test that left it open, not a later one."""
    yield
    gc.collect(1)


@pytest.fixture(scope="session", autouse=True)
def _nothing_blocks() -> Iterator[None]:
    """Code of the package that blocks the event loop, for a file or a socket, raises an error."""
    with blockbuster_ctx("dify_async") as guard:
        for function in guard.functions.values():
            # The fake reads the file of a time zone when it is first used.
            function.can_block_in("dify_async/testing/_console/state.py", {"__init__", "add_account"})
            function.can_block_in("dify_async/testing/_console/times.py", "account_zone")
            function.can_block_in(
                "dify_async/testing/_console/handlers/workspace.py", {"set_timezone", "_is_timezone"}
            )
            # aiohttp resolves the folder of static files when the application is made.
            function.can_block_in("dify_async/web/app.py", "create_app")
            # redis-py reads its own version from disk for each connection of a client that was passed in.
            function.can_block_in("redis/asyncio/sentinel.py", "__init__")
        # Coverage acquires a lock as it counts. In the package, only `sync` has locks, whose callers wait.
        guard.functions["threading.Lock.acquire"].deactivate()
        yield


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not read the settings in the environment of the person who runs them."""
    for name in (
        "DIFY_BASE_URL",
        "DIFY_EMAIL",
        "DIFY_PASSWORD",
        "DIFY_ADMIN_API_KEY",
        "DIFY_WORKSPACE_ID",
        "DIFY_REDIS_URL",
        "DIFY_MAX_CONCURRENCY",
        "DIFY_TIMEOUT",
        "DIFY_PROXY",
        "DIFY_DASHBOARD_TOKEN",
        "REDIS_URL",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def version() -> str:
    """A recent version. Tests of sessions run on EACH_ERA; a test may also parametrize this itself."""
    return ERAS[-1]


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(version) as fake:
        yield fake


@pytest.fixture
async def dify(fake: FakeDifyServer) -> AsyncIterator[AsyncDifyServer]:
    """A client that has sent no request yet."""
    async with client(fake) as dify:
        yield dify


@pytest.fixture(scope="session")
def _redis_of_all() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def patient_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Redis commands take long, as on a busy machine; for tests that are not about a slow Redis."""
    monkeypatch.setattr("dify_async._auth.fallback_store._PATIENCE", 30.0)
    monkeypatch.setattr("dify_async.redis_store._COMMAND_TIMEOUT", 30.0)


@pytest.fixture
def redis_server(_redis_of_all: RedisServer) -> RedisServer:
    """An empty Redis, shared with other tests: do not kill it."""
    with _redis_of_all.admin() as admin:
        admin.flushall()
    return _redis_of_all
