"""What every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
from blockbuster import blockbuster_ctx

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.clock import MOMENTS, clock_at
from tests.redis_server import RedisServer
from tests.support import ERAS, client

# Without a deadline, which a busy machine misses, and without a database, which two workers would share.
hypothesis.settings.register_profile("suite", deadline=None, database=None)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dates", action="store_true", help="run each test on every date of tests/clock")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.config.getoption("dates"):
        metafunc.fixturenames.insert(0, "_date")
        # In the scope of the session, all tests of a date run together.
        metafunc.parametrize("_date", MOMENTS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def _date(request: pytest.FixtureRequest) -> Iterator[None]:
    with clock_at(MOMENTS[request.param]):
        yield


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp and redis run on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _nothing_blocks() -> Iterator[None]:
    """Within an event loop, what the package calls waits for no file and no socket."""
    with blockbuster_ctx("dify_async") as guard:
        for function in guard.functions.values():
            # The fake reads the file of a time zone when it is first used.
            function.can_block_in("dify_async/testing/_console/state.py", {"__init__", "add_account"})
            function.can_block_in("dify_async/testing/_console/times.py", "account_zone")
            function.can_block_in(
                "dify_async/testing/_console/handlers/workspace.py", {"set_timezone", "_is_timezone"}
            )
            # redis-py looks for its own version at each connection of a client that was passed in.
            function.can_block_in("redis/asyncio/sentinel.py", "__init__")
        # Coverage takes one as it counts. The package has locks in `sync` alone, where callers mean to wait.
        guard.functions["threading.Lock.acquire"].deactivate()
        yield


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests is not theirs to read."""
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
        "REDIS_URL",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=ERAS)
def version(request: pytest.FixtureRequest) -> str:
    """One of each era; a test may be parametrised by more."""
    return str(request.param)


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(version) as fake:
        yield fake


@pytest.fixture
async def dify(fake: FakeDifyServer) -> AsyncIterator[AsyncDifyServer]:
    """A client that nobody has used."""
    async with client(fake) as dify:
        yield dify


@pytest.fixture(scope="session")
def _redis_of_all() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(_redis_of_all: RedisServer) -> RedisServer:
    """Empty; not to be killed."""
    with _redis_of_all.admin() as admin:
        admin.flushall()
    return _redis_of_all
