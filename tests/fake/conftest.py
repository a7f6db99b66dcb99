from collections.abc import AsyncIterator

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import VERSIONS, User


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes do not close an idle connection, perhaps while the next request is sent."""
    monkeypatch.setitem(FakeDifyServer.__init__.__kwdefaults__ or {}, "keep_alive", 600.0)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def user(fake: FakeDifyServer, session: aiohttp.ClientSession) -> User:
    user = User(fake, session)
    await user.log_in()
    return user
