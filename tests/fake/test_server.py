"""The server's life, its counters, and the faults that it shows on demand."""

import asyncio
import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from dify_async.testing import FakeApp, FakeDifyServer
from dify_async.testing._console.rules import parse_version

from .user import User

FEATURES = "/system-features"


async def test_addresses(session: aiohttp.ClientSession) -> None:
    fake = FakeDifyServer(base_path="/dify/", email="a@example.com", password="Other-Pass-42")
    with pytest.raises(RuntimeError, match="async with"):
        _ = fake.base_url
    async with fake:
        assert fake.base_url.startswith("http://127.0.0.1:")
        assert fake.base_url.endswith("/dify")
        assert repr(fake) == f"<FakeDifyServer 1.11.2 at {fake.base_url}>"
        user = User(fake, session)
        assert (await user.log_in()).status == 200
        assert (await user.get("/apps")).status == 200
        root = fake.base_url.removesuffix("/dify")
        for url in (f"{root}/console/api/ping", f"{fake.base_url}/ping", root):
            async with session.get(url) as answer:
                assert answer.status == 404


async def test_a_chosen_port() -> None:
    async with FakeDifyServer() as first:
        port = int(first.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            async with FakeDifyServer(port=port):
                pass
    async with FakeDifyServer(port=port) as second:
        assert second.base_url == first.base_url


@pytest.mark.parametrize("text", ["", "1", "latest", "1.11.2-beta", "1.11.2.0", "v1.11.2", "1.2\n"])
def test_versions_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="Not a Dify version"):
        FakeDifyServer(text)


def test_versions() -> None:
    assert parse_version("1.11.2") == (1, 11, 2)
    assert parse_version("1.11") == (1, 11, 0)
    assert FakeDifyServer("1.13").version == "1.13"


def test_apps_to_serve() -> None:
    assert len(FakeDifyServer().apps) == 12
    assert FakeDifyServer(apps=0).apps == []
    assert len({app.id for app in FakeDifyServer(apps=40).apps}) == 40
    own = FakeApp(name="Own", mode="workflow", id="4f1c1b0e-0000-4000-8000-000000000000", created_at=1)
    fake = FakeDifyServer(apps=[own])
    added = fake.add_app("Later", "chat", description="d")
    assert fake.apps == [own, added]
    assert (own.created_at, added.description) == (1, "d")


async def test_leaving_closes_at_once() -> None:
    before = asyncio.all_tasks()
    async with FakeDifyServer(latency=60) as fake:
        port = int(fake.base_url.rpartition(":")[2])
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        busy, idle = streams
        busy[1].write(b"GET /console/api/ping HTTP/1.1\r\nHost: fake\r\n\r\n")
        while not fake.requests:  # noqa: ASYNC110 - the fake has no event for requests
            await asyncio.sleep(0)
        left = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - left < 1
    assert asyncio.all_tasks() == before
    assert fake.requests[0].status is None
    for reader, writer in (busy, idle):
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


def test_entering_again_in_another_loop() -> None:
    fake = FakeDifyServer()

    async def key_count() -> int:
        async with fake, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            user = User(fake, session)
            await user.log_in()
            await user.ask("POST", "/datasets/api-keys")
            return len((await user.get("/datasets/api-keys")).json["data"])

    assert [asyncio.run(key_count()) for _ in range(2)] == [1, 2]


async def test_a_bug_of_the_fake_surfaces(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> int:
        async with FakeDifyServer(today=date(2026, 11, 25)) as fake:
            user = User(fake, session)
            await user.log_in()
            fake.apps[0].messages_per_day = "many"  # type: ignore[assignment]
            return (await user.get(f"/apps/{fake.apps[0].id}/statistics/daily-messages")).status

    with pytest.raises(TypeError):
        await run()
    assert "The fake server failed to handle GET /apps/" in caplog.text


async def test_requests_are_recorded(session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(base_path="/dify") as fake:
        user = User(fake, session)
        await user.log_in()
        await user.get("/apps", name="a b")
        await user.ask("POST", "/account/timezone", content={"timezone": "UTC"})
        await user.get("/nope")
        login, apps, zone, nope = fake.requests
        assert [request.status for request in fake.requests] == [200, 200, 200, 404]
        assert [request.path for request in fake.requests] == [
            "/login",
            "/apps",
            "/account/timezone",
            "/nope",
        ]
        assert (apps.method, apps.query) == ("GET", "name=a+b")
        assert apps.headers["x-csrf-token"] == apps.headers["X-CSRF-Token"]
        assert json.loads(zone.body) == {"timezone": "UTC"}
        assert login.time <= apps.time <= nope.time
        assert fake.password not in repr(login)
        assert (fake.count("GET"), fake.count(), fake.count(None, "/a*"), fake.count("POST", "/apps")) == (
            2,
            4,
            2,
            0,
        )
        fake.reset_counters()
        assert (fake.requests, fake.peak_requests, fake.connections_opened) == ([], 0, 0)


async def test_requests_at_once_and_connections() -> None:
    async with FakeDifyServer(latency=0.02) as fake:
        connector = aiohttp.TCPConnector(limit=3)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(User(fake, session).get("/ping") for _ in range(9)))
        assert (fake.peak_requests, fake.connections_opened) == (3, 3)


async def test_idle_connections_are_closed(session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(keep_alive=0.05) as fake:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(fake.base_url.rpartition(":")[2]))
        writer.write(b"GET /console/api/ping HTTP/1.1\r\nHost: fake\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b'{"result":"pong"}')
        writer.close()
        await writer.wait_closed()
        assert (await User(fake, session).get("/ping")).status == 200


async def test_a_fault_answers(user: User, version: str) -> None:
    fault = user.fake.inject(path="/sys*", method="GET", status=503, headers={"Retry-After": "3"}, times=2)
    for _ in range(2):
        answer = await user.get(FEATURES)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
        assert answer.json == {
            "code": "service_unavailable",
            "message": "Service Unavailable.",
            "status": 503,
        }
    assert (await user.get(FEATURES)).status == 200
    assert (await user.get("/ping")).status == 200
    assert fault.hits == 2
    user.fake.inject(status=500)
    status = {} if version == "0.15.3" else {"status": 500}
    assert (await user.get(FEATURES)).json == {
        "message": "Internal Server Error",
        "code": "unknown",
        **status,
    }


@pytest.mark.parametrize("path", ["apps", "", "/console/api/apps"])
def test_a_fault_that_matches_no_request(path: str) -> None:
    with pytest.raises(
        ValueError, match=r"^path must be a pattern for the path below /console/api, such as "
    ):
        FakeDifyServer().inject(path, status=500)


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_bytes_of_a_fault(user: User) -> None:
    fault = user.fake.inject(body=b"<html>Bad Gateway</html>", status=502)
    answer = await user.get(FEATURES)
    assert (answer.status, answer.text) == (502, "<html>Bad Gateway</html>")
    assert answer.headers["Content-Type"] == "text/html"
    fault.remove()
    fault = user.fake.inject(body=b"{", headers={"content-type": "application/json"})
    answer = await user.get(FEATURES)
    assert (answer.status, answer.text) == (200, "{")
    assert answer.headers.getall("Content-Type") == ["application/json"]
    fault.remove()
    fault = user.fake.inject(status=302, headers={"Location": "/elsewhere"})
    async with user.session.get(user.fake.base_url, allow_redirects=False) as moved:
        assert (moved.status, moved.headers["Location"], await moved.text()) == (302, "/elsewhere", "")
    fault.remove()
    fault = user.fake.inject(status=520)
    assert (await user.get(FEATURES)).json["status"] == 520
    fault.remove()
    user.fake.inject(headers={"X-Version": "9.9.9"})
    answer = await user.get(FEATURES)
    assert answer.headers.getall("X-Version") == ["9.9.9"]
    assert answer.json["license"]["status"] == "none"


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_a_fault_does_nothing_else(user: User) -> None:
    path = f"/apps/{user.fake.apps[0].id}/api-keys"
    user.fake.inject(path, "POST", status=502, times=1)
    assert (await user.ask("POST", path)).status == 502
    assert (await user.get(path)).json["data"] == []


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_cut_connections(user: User) -> None:
    path = f"/apps/{user.fake.apps[0].id}/api-keys"
    for cut, keys in (("before", 0), ("after", 1)):
        user.fake.inject(path, "POST", cut=cut, times=1)  # type: ignore[arg-type]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await user.ask("POST", path)
        assert len((await user.get(path)).json["data"]) == keys
    user.fake.inject(path, "GET", cut="body", times=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await user.get(path)
    assert [request.status for request in user.fake.requests[1:]] == [None, 200, None, 200, None]


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_faults_in_order(user: User) -> None:
    first = user.fake.inject(FEATURES, status=500, times=1)
    second = user.fake.inject(FEATURES, status=503)
    third = user.fake.inject(FEATURES, status=504)
    assert [(await user.get(FEATURES)).status for _ in range(3)] == [500, 503, 503]
    second.remove()
    assert (await user.get(FEATURES)).status == 504
    assert (first.hits, second.hits, third.hits) == (1, 2, 1)


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_all_faults_are_removed(user: User) -> None:
    faults = [user.fake.inject(status=status, times=1) for status in (500, 503)]
    assert (await user.get(FEATURES)).status == 500
    user.fake.remove_faults()
    assert (await user.get(FEATURES)).status == 200
    assert [fault.removed for fault in faults] == [True, True]


async def test_what_may_be_changed_while_it_runs(user: User) -> None:
    old = user.fake.password
    user.fake.password = "Another-Pass-1"
    assert (await user.get("/apps")).status == 200  # its token is still valid
    assert (await user.log_in(password=old)).status in {400, 401}
    assert (await user.log_in()).status == 200
    user.fake.password_login = False
    assert user.fake.password_login is False
    assert (await user.get(FEATURES)).json["enable_email_password_login"] is False


async def test_the_last_day_and_the_newest_code(user: User) -> None:
    assert FakeDifyServer(today=date(2026, 10, 1)).today == date(2026, 10, 1)
    before = datetime.now(ZoneInfo("UTC")).date()
    assert before <= FakeDifyServer(timezone="UTC").today <= datetime.now(ZoneInfo("UTC")).date()
    content = {"email": user.fake.email, "language": "en-US"}
    answers = [await user.ask("POST", "/email-code-login", headers={}, content=content) for _ in range(2)]
    codes = [user.fake.login_code(answer.json["data"]) for answer in answers]
    assert user.fake.login_code() == codes[1] != codes[0]


async def test_a_delay(user: User) -> None:
    loop = asyncio.get_running_loop()
    user.fake.inject(FEATURES, delay=0.05)
    began = loop.time()
    assert (await user.get(FEATURES)).status == 200
    assert loop.time() - began >= 0.05


async def test_a_share_of_the_requests(session: aiohttp.ClientSession) -> None:
    shares = []
    for seed in (1, 1, 2):
        async with FakeDifyServer(seed=seed) as fake:
            fake.inject(status=500, probability=0.3)
            shares.append([(await User(fake, session).get("/ping")).status for _ in range(60)])
    assert shares[0] == shares[1] != shares[2]
    assert 5 < shares[0].count(500) < 31
