"""Changes that were sent and may or may not have been made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DifyNotFoundError, DifyUnknownOutcomeError
from dify_async.testing import FakeDifyServer
from tests.support import an_app, client

Call = Callable[[AsyncDifyServer, FakeDifyServer], Awaitable[object]]
CHANGES: dict[str, Call] = {
    "/apps/*/api-keys": lambda dify, fake: dify.init_app_api_key(an_app(fake)),
    "/datasets/api-keys": lambda dify, _: dify.init_dataset_api_key(),
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "fault",
    [{"cut": "after"}, {"cut": "before"}, {"cut": "body"}, {"delay": 60.0}, {"status": 502}, {"status": 504}],
)
async def test_a_change_is_never_sent_again(fake: FakeDifyServer, fault: dict[str, Any], path: str) -> None:
    """apify-client-python#990: the key was made; a second one would be too."""
    async with client(fake, timeout=1.5) as dify:
        await dify.profile()
        fake.inject(path, "POST", **fault)
        with pytest.raises(DifyUnknownOutcomeError) as unknown:
            await CHANGES[path](dify, fake)
        assert fake.count("POST", path) == 1
    assert "check with the matching list or get call" in str(unknown.value)
    assert str(unknown.value).startswith("POST /")


async def test_the_change_can_be_looked_for(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    before = await dify.get_app_api_key(app)
    fake.inject("/apps/*", "POST", cut="after", times=1)
    with pytest.raises(DifyUnknownOutcomeError):
        await dify.init_app_api_key(app)
    assert len(await dify.get_app_api_key(app)) == len(before) + 1


@pytest.mark.parametrize("fault", [{"cut": "after"}, {"cut": "before"}, {"status": 503}, {"status": 504}])
async def test_a_deletion_is_sent_again(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any]
) -> None:
    """If a retry finds nothing, the first attempt succeeded."""
    app = an_app(fake)
    (key,) = await dify.init_app_api_key(app)
    fake.inject("/apps/*", "DELETE", **fault, times=1)
    await dify.delete_app_api_key(app, key.id)
    assert fake.count("DELETE") == 2
    assert key.id not in [one.id for one in await dify.get_app_api_key(app)]


@pytest.mark.parametrize("fault", [{"status": 429}, {"cut": "before"}, {"status": 502}])
async def test_a_deletion_of_what_never_was(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any]
) -> None:
    """After a 429 nothing was done, so it did not exist; after the others it is unknown."""
    fake.inject("/apps/*", "DELETE", **fault, times=1)
    unknown = "00000000-0000-4000-8000-000000000000"
    if "status" in fault and fault["status"] == 429:
        with pytest.raises(DifyNotFoundError):
            await dify.delete_app(unknown)
    else:
        await dify.delete_app(unknown)
    assert fake.count("DELETE") == 2


@pytest.mark.parametrize("fault", [{"cut": "after"}, {"status": 502}, {"status": 504}])
async def test_a_deletion_that_nobody_knows_of(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any]
) -> None:
    fake.inject("/apps/*", "DELETE", **fault)
    with pytest.raises(DifyUnknownOutcomeError):
        await dify.delete_app(an_app(fake))
    assert fake.count("DELETE") == 4


async def test_a_change_after_which_the_session_ended_is_made_once(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """After a 401 it was not made, so it is retried with new tokens."""
    app = an_app(fake)
    before = await dify.get_app_api_key(app)
    fake.expire_access_tokens()
    await dify.init_app_api_key(app)
    assert len(await dify.get_app_api_key(app)) == len(before) + 1
    assert fake.count("POST", "/apps/*") == 2


@pytest.mark.parametrize("cut", ["before", "after", "body"])
async def test_what_changes_nothing_is_sent_again(
    fake: FakeDifyServer, dify: AsyncDifyServer, cut: Any
) -> None:
    """An answer that was cut in its body is a lost connection too, not invalid data."""
    await dify.profile()
    fake.inject("/account/*", cut=cut, times=2)
    await dify.profile()
    assert fake.count("GET", "/account/profile") == 4
