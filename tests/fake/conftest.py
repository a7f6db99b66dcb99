from collections.abc import AsyncIterator

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import VERSIONS, User


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    # A connection for each request: the fake closes idle ones, perhaps while the next request is sent.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def user(fake: FakeDifyServer, session: aiohttp.ClientSession) -> User:
    user = User(fake, session)
    await user.log_in()
    return user
