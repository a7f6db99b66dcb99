"""The version is read from every response, since servers are upgraded and downgraded while clients run."""

from __future__ import annotations

import logging
from uuid import uuid4

import anyio
import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyError, DifyNotFoundError, DifyServerError
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, client, until


@pytest.fixture
def version() -> str:
    return "1.15.0"


def calls_itself(fake: FakeDifyServer, version: str, path: str = "*", **more: float) -> None:
    fake.inject(path, headers={"X-Version": version}, **more)  # type: ignore[arg-type]  # a delay


async def test_an_upgrade_is_seen_by_the_next_answer(
    fake: FakeDifyServer, dify: AsyncDifyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise filters would be refused and agents omitted until the next login."""
    caplog.set_level(logging.INFO, "dify_async")
    calls_itself(fake, "1.11.2", times=4)
    with pytest.raises(DifyConfigError, match=r"Dify 1\.11\.2 ignores sort_by"):
        await dify.apps(sort_by="recently_created")
    await dify.profile()
    assert await dify.version() == "1.11.2"
    await dify.profile()
    await dify.profile()
    assert await dify.version() == "1.15.0"
    await dify.apps(sort_by="recently_created")
    assert fake.count("GET", "/system-features") == 1
    assert "the server's version changed from 1.11.2 to 1.15.0" in caplog.text


async def test_a_caller_of_what_is_refused_alone_sees_an_upgrade_too(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """No other request was sent, so the version is requested again before an argument is refused."""
    older = fake.inject("*", headers={"X-Version": "1.14.1"})
    for asked in (1, 2):
        with pytest.raises(DifyConfigError, match=r"Dify 1\.14\.1 ignores sort_by"):
            await dify.apps_page(sort_by="recently_created")
        assert fake.count() == fake.count("GET", "/system-features") == asked
    older.remove()
    assert (await dify.apps_page(sort_by="recently_created")).data


async def test_a_downgrade_is_seen_too(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.profile()
    calls_itself(fake, "1.14.1")
    await dify.profile()
    assert await dify.version() == "1.14.1"


async def test_a_failure_tells_the_version_too(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/apps", status=500, headers={"X-Version": "1.16.1"})
        with pytest.raises(DifyServerError):
            await dify.apps_page()
        assert await dify.version() == "1.16.1"


@pytest.mark.parametrize("shown", ["", "gateway", "é"])
async def test_an_invalid_version_is_ignored(fake: FakeDifyServer, dify: AsyncDifyServer, shown: str) -> None:
    """A proxy sent the response, or removed the version from it."""
    await dify.profile()
    calls_itself(fake, shown)
    await dify.profile()
    assert await dify.version() == "1.15.0"


@pytest.mark.parametrize("status", [403, 404, 429, 502])
@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<html>"), ("text/plain", b"slow down"), ("application/json", b'{"message":"no"}')],
)
async def test_errors_of_a_proxy_do_not_change_the_version(
    fake: FakeDifyServer, status: int, kind: str, body: bytes
) -> None:
    """Other programs have a header of this name too."""
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        headers = {"X-Version": "0.1.0", "Content-Type": kind}
        fake.inject("/account/*", status=status, body=body, headers=headers)
        with pytest.raises(DifyError, match=str(status)):
            await dify.profile()
        assert await dify.version() == "1.15.0"


async def test_a_page_of_a_proxy_does_not_change_the_version(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.profile()
    headers = {"X-Version": "0.1.0", "Content-Type": "text/html"}
    fake.inject("/account/*", status=200, body=b"<html>", headers=headers)
    with pytest.raises(DifyError, match="web page"):
        await dify.profile()
    assert await dify.version() == "1.15.0"


async def test_a_base_path_is_not_doubted_once_the_server_has_answered() -> None:
    async with FakeDifyServer("1.17.0", base_path="/dify") as fake, client(fake) as dify:
        await dify.profile()
        with pytest.raises(DifyNotFoundError) as missing:
            await dify.app(uuid4())
        assert "omit the path" not in str(missing.value)


async def test_a_version_that_is_hidden_when_it_is_requested_again_is_kept() -> None:
    async with FakeDifyServer("1.14.1") as fake, client(fake) as dify:
        await dify.profile()
        fake.inject("/system-features", headers={"X-Version": ""})
        with pytest.raises(DifyConfigError, match="ignores sort_by"):
            await dify.apps(sort_by="recently_created")


async def test_a_hidden_version_that_comes_to_light() -> None:
    async with FakeDifyServer("1.15.0", hide_version=True) as fake, client(fake) as dify:
        await dify.profile()
        assert await dify.version() == ""
        calls_itself(fake, "1.15.0")
        await dify.profile()
        assert await dify.version() == "1.15.0"


async def test_a_version_that_was_given_stays(fake: FakeDifyServer) -> None:
    async with client(fake, server_version="1.11.2") as dify:
        await dify.profile()
        with pytest.raises(DifyConfigError, match=r"Dify 1\.11\.2 ignores sort_by"):
            await dify.apps(sort_by="recently_created")
        assert await dify.version() == "1.11.2"
    assert fake.count("GET", "/system-features") == 0


async def test_an_answer_from_before_the_upgrade_comes_late(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A worker that is shutting down still completes its requests."""
    await dify.profile()
    calls_itself(fake, "1.15.0", "/apps", delay=0.3)
    calls_itself(fake, "1.16.1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dify.apps_page)
        await until(lambda: fake.count("GET", "/apps") == 1)
        await dify.profile()
        assert await dify.version() == "1.16.1"
    assert await dify.version() == "1.16.1"
    await dify.apps_page()  # a later one that says so is believed
    assert await dify.version() == "1.15.0"
