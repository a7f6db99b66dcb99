"""For any response, the caller gets a value or a DifyError, and no connection is leaked."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyDecodeError,
    DifyError,
    DifyStatusError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
)
from dify_async.testing import FakeDifyServer
from tests.support import JSON, ONCE, an_app, client


@pytest.fixture
def version() -> str:
    return "1.11.2"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>maintenance</html>",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"204",
        b"{}",
        b'{"data":null}',
        b'{"data":[{"id":null}]}',
        b'{"data":[',
        b'{"data":[{"id":"\xff\xfe"}]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\x00" * 100,
    ],
)
async def test_a_200_that_cannot_be_read(fake: FakeDifyServer, dify: AsyncDifyServer, body: bytes) -> None:
    await dify.profile()
    opened = fake.connections_opened
    fake.inject(path="/apps", body=body, headers=JSON)
    fake.inject(path="/apps/*/api-keys", body=body, headers=JSON)
    for _ in range(3):
        with pytest.raises(DifyDecodeError, match="GET /apps: cannot read the response"):
            await dify.apps()
    with pytest.raises(DifyDecodeError, match="POST"):
        await dify.init_app_api_key(an_app(fake))
    await dify.profile()
    assert fake.connections_opened == opened
    assert dify._limiter.taken == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 415, 418, 422, 429, 500, 502, 503, 504, 599])
async def test_a_refusal_of_no_shape(fake: FakeDifyServer, status: int, subtests: pytest.Subtests) -> None:
    async with client(fake, retry=ONCE) as dify:
        for body in (b"<html>", b"", b"null", b"[" * 100_000, b'{"message":5,"code":{}}'):
            fake.remove_faults()
            fake.inject(path="/apps", status=status, body=body)
            with subtests.test(body=body[:10]):
                with pytest.raises(DifyStatusError) as refused:
                    await dify.apps()
                assert refused.value.status == status
                assert (refused.value.code, refused.value.message) == (None, "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_not_followed(fake: FakeDifyServer, status: int) -> None:
    """No token is sent to the other host, and a POST does not become a GET."""
    async with FakeDifyServer() as other:
        to = other.base_url + "/console/api/apps"
        fake.inject(path="/apps*", status=status, body=b"", headers={"Location": to})
        async with client(fake) as dify:
            with pytest.raises(DifyStatusError, match=f"base_url='{other.base_url}'") as refused:
                await dify.apps()
            assert refused.value.status == status
            with pytest.raises(DifyStatusError, match="Redirects are not followed"):
                await dify.init_app_api_key(an_app(fake))
        assert other.requests == []


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_answers(
    fake: FakeDifyServer, dify: AsyncDifyServer, encoding: str, packed: object
) -> None:
    assert callable(packed)
    body = packed(b'{"id":"1","timezone":"UTC"}')
    fake.inject(path="/account/profile", body=body, headers={**JSON, "Content-Encoding": encoding})
    assert (await dify.profile()).timezone == "UTC"


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b" + b"\x00" * 20, b"no gzip", gzip.compress(b"x" * 1000)[:-8]],
    ids=["bad header", "no gzip", "cut short"],  # what gzip writes holds the time
)
async def test_compression_that_is_broken(fake: FakeDifyServer, dify: AsyncDifyServer, body: bytes) -> None:
    await dify.profile()
    fake.inject(path="/account/profile", body=body, headers={**JSON, "Content-Encoding": "gzip"})
    with pytest.raises(DifyError):
        await dify.profile()
    assert dify._limiter.taken == 0


async def test_an_encoding_that_was_not_offered(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.profile()
    assert fake.requests[-1].headers["Accept-Encoding"] == "gzip, deflate"


async def test_an_answer_past_the_cap_is_not_read(fake: FakeDifyServer) -> None:
    """aiohttp's read() has no limit; the limit applies to the decompressed size."""
    bomb = gzip.compress(b'{"id":"' + b"x" * 20_000_000 + b'"}')
    assert len(bomb) < 30_000
    async with client(fake, max_response_bytes=100_000) as dify:
        await dify.apps_page(limit=1)
        fake.inject(path="/account/profile", body=bomb, headers={**JSON, "Content-Encoding": "gzip"}, times=1)
        fake.inject(path="/account/profile", body=b"x" * 100_001, headers=JSON, times=1)
        for _ in range(2):
            with pytest.raises(DifyDecodeError, match="max_response_bytes=100000"):
                await dify.profile()
        await dify.profile()
        assert dify._limiter.taken == 0


async def test_a_timeout_covers_the_body(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE, timeout=1.5) as dify:
        await dify.profile()
        fake.inject(path="/account/profile", delay=60.0, times=1)
        fake.inject(path="*/api-keys", method="POST", delay=60.0, times=1)
        late, unknown = await asyncio.gather(
            dify.profile(), dify.init_app_api_key(an_app(fake)), return_exceptions=True
        )
        assert isinstance(late, DifyTimeoutError)
        assert isinstance(late, TimeoutError)
        assert "no response within 1.5 s" in str(late)
        assert isinstance(unknown, DifyUnknownOutcomeError)
        assert "check with the matching list" in str(unknown)
        await dify.profile()


RAW = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(5000)) + b"\r\n",
    "a bad length": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "an unknown encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    "cut in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    "cut in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
}


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[str]:
    """Sends these bytes in response to the second request of each connection, and closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("name", RAW)
async def test_responses_that_are_not_http(name: str) -> None:
    async with (
        raw_server(RAW[name]) as url,
        AsyncDifyServer(url, admin_api_key="key", workspace_id="w", retry=ONCE) as dify,
    ):
        for call in (dify.profile, dify.init_dataset_api_key):
            with anyio.fail_after(60), pytest.raises(DifyError):
                await call()
        assert dify._limiter.taken == 0


@pytest.mark.parametrize(
    "name", ["no HTTP", "a long header", "a bad length", "two lengths", "bad chunks", "no gzip"]
)
async def test_a_change_whose_answer_is_not_http(name: str) -> None:
    """The change may have been made, as after a broken connection; a GET has no unknown outcome."""
    raw = RAW | {"no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"}
    async with (
        raw_server(raw[name]) as url,
        AsyncDifyServer(url, admin_api_key="key", workspace_id="w", retry=ONCE) as dify,
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(DifyUnknownOutcomeError, match="may or may not have been made") as unknown:
                await dify.request(method, "/apps")
            assert unknown.value.sent
        with pytest.raises(DifyDecodeError):
            await dify.request("GET", "/apps")


@pytest.mark.parametrize("length", [9_000, 60_000])
async def test_a_long_header_is_read(fake: FakeDifyServer, dify: AsyncDifyServer, length: int) -> None:
    """aiohttp#2304, aiohttp#2988: proxies add policies of more than 8,190 bytes."""
    policy = {"Content-Security-Policy": "x" * length}
    fake.inject("/account/profile", body=b'{"id":"1","timezone":"UTC"}', headers={**JSON, **policy})
    assert (await dify.profile()).timezone == "UTC"


async def test_a_header_that_is_too_long_is_named() -> None:
    """NLWeb PR 211."""
    async with (
        raw_server(RAW["a long header"]) as url,
        AsyncDifyServer(url, admin_api_key="key", workspace_id="w", retry=ONCE) as dify,
    ):
        with pytest.raises(DifyDecodeError, match=r"a header of the response is too long$"):
            await dify.profile()


async def test_other_tasks_go_on_while_a_large_answer_is_decompressed(fake: FakeDifyServer) -> None:
    """All of it is decompressed from a few packets, so nothing else yields to the event loop."""
    size = 16 * 2**20
    bomb = gzip.compress(b" " * size + b"{}")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with client(fake) as dify:
        await dify.profile()
        fake.inject("/account/profile", body=bomb, headers={**JSON, "Content-Encoding": "gzip"})
        counter = asyncio.create_task(count())
        before = turns
        assert len(await dify.request("GET", "/account/profile", type=bytes)) == size + 2
        counter.cancel()
    assert turns - before >= size / 2**20
