"""The store on each kind of Redis deployment."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from redis.asyncio import RedisCluster, Sentinel
from redis.exceptions import NoPermissionError

from dify_async import DifyConfigError, RedisTokenStore, Tokens
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client

TOKENS = Tokens(access_token="access-secret", refresh_token="refresh-secret")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


async def use(store: RedisTokenStore) -> None:
    """Use each operation of the store, and a client with it."""
    async with store.lock("a"):
        await store.save("a", TOKENS)
        assert await store.load("a") == TOKENS
    await store.save("a", TOKENS)
    await store.clear("a")
    assert await store.load("a") is None
    async with FakeDifyServer() as fake:
        for _ in range(2):
            async with client(fake, token_store=store) as dify:
                await dify.profile()
                fake.expire_access_tokens()
                await dify.profile()
        assert fake.count("POST", "/login") == 1
        assert fake.count("POST", "/refresh-token") == 2


@pytest.fixture
def cluster() -> Iterator[int]:
    """The port of a node in a cluster of two nodes."""
    ports = free_ports(4)
    nodes = list(zip(ports[:2], ports[2:], strict=True))
    with ExitStack() as stack:
        admins = []
        for port, bus in nodes:
            options = ["--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus)]
            server = RedisServer(*options, "--cluster-enabled", "yes")
            stack.enter_context(server)
            admins.append(stack.enter_context(server.admin()))
        for admin, slots in zip(admins, ("0 8191", "8192 16383"), strict=True):
            admin.execute_command(f"CLUSTER ADDSLOTSRANGE {slots}")
        admins[1].execute_command("CLUSTER SET-CONFIG-EPOCH 2")
        admins[0].execute_command(f"CLUSTER MEET 127.0.0.1 {nodes[1][0]} {nodes[1][1]}")
        for admin in admins:
            while admin.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                time.sleep(0.01)
        yield nodes[0][0]


async def test_a_cluster(cluster: int) -> None:
    """All keys of an account have one hash tag; otherwise the scripts would fail with CROSSSLOT."""
    async with RedisCluster(host="127.0.0.1", port=cluster) as nodes:
        await use(RedisTokenStore(nodes))
        for key in "bcdefgh":  # on both nodes
            await RedisTokenStore(nodes).save(key, TOKENS)
            assert await RedisTokenStore(nodes).load(key) == TOKENS


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[int]:
    """The port of a sentinel that monitors a master."""
    port, sentinel_port = free_ports(2)
    settings = tmp_path / "sentinel.conf"
    settings.write_text(f"sentinel monitor main 127.0.0.1 {port} 1\n")
    with (
        RedisServer("--bind", "127.0.0.1", "--port", str(port)),
        RedisServer("--bind", "127.0.0.1", "--port", str(sentinel_port), sentinel=settings),
    ):
        yield sentinel_port


async def test_behind_sentinel(sentinel: int) -> None:
    watcher = Sentinel([("127.0.0.1", sentinel)])  # type: ignore[no-untyped-call]  # redis-py's
    async with watcher.master_for("main") as master:
        await use(RedisTokenStore(master))
    for one in watcher.sentinels:
        await one.aclose()


@asynccontextmanager
async def tls_in_front_of(server: RedisServer, context: ssl.SSLContext) -> AsyncIterator[int]:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(server.socket)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def test_a_url_with_tls(redis_server: RedisServer, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with tls_in_front_of(redis_server, context) as port:
        store = RedisTokenStore(f"rediss://localhost:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}")
        await use(store)
        await store.aclose()
        for options in ("", "?ssl_cert_reqs=CERT_REQUIRED"):
            untrusting = RedisTokenStore(f"rediss://localhost:{port}/0{options}")
            with pytest.raises(redis.ConnectionError, match="certificate"):
                await untrusting.load("a")
            await untrusting.aclose()
        # As Celery has it (celery#5988): nothing is checked.
        unchecking = RedisTokenStore(f"rediss://localhost:{port}/0?ssl_cert_reqs=CERT_NONE")
        await use(unchecking)
        await unchecking.aclose()


@pytest.mark.parametrize(
    "options", ["", "?db=2", "?client_name=exporter", "?db=2&client_name=exporter&protocol=3", "?protocol=2"]
)
async def test_a_user_with_no_more_than_the_commands_of_the_document(options: str) -> None:
    """flask-limiter#398, nri-redis#128, ctcache PR 68, lettuce#1379: commands that a connection sends."""
    document = (Path(__file__).parents[2] / "docs/tokens.md").read_text(encoding="utf-8")
    (rule,) = (line for line in document.splitlines() if line.startswith("ACL SETUSER"))
    with RedisServer() as server:
        with server.admin() as admin:
            admin.execute_command(*rule.replace("PASSWORD", "pass-word").split())
        store = RedisTokenStore(f"unix://dify:pass-word@{server.socket}{options}")
        await use(store)
        with server.admin() as admin:
            entries: Any = admin.acl_log()
            # redis-py reports its version so, from Redis 7.2, and goes on without.
            assert {entry["object"] for entry in entries} <= {"client|setinfo"}
        with pytest.raises(NoPermissionError):
            await RedisTokenStore((await store._connections._redis()), prefix="others:").load("a")
        with pytest.raises(NoPermissionError):
            await (await store._connections._redis()).keys()
        await store.aclose()


@pytest.mark.parametrize(
    ("options", "command"), [("?db=2", "select"), ("?client_name=exporter", r"client\|setname")]
)
async def test_the_warning_names_a_command_that_is_not_permitted(
    options: str, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    """flask-limiter#398, nri-redis#128: a user with the commands of the store, but not of its connections."""
    with RedisServer() as server:
        with server.admin() as admin:
            rights = ("~dify_async:*", "-@all", "+get", "+set", "+del", "+eval")
            admin.execute_command("ACL", "SETUSER", "dify", "on", ">PW", *rights)
        store = RedisTokenStore(f"unix://dify:PW@{server.socket}{options}")
        with pytest.raises(DifyConfigError, match=rf"permitted to run '{command}'"):
            await store.load("a")
        async with FakeDifyServer() as fake, client(fake, token_store=store) as dify:
            await dify.profile()
        await store.aclose()
    assert re.search(rf"does not work \(.* permitted to run '{command}'\)", caplog.text)
