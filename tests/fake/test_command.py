"""`python -m dify_async.testing`."""

import asyncio
import re
import signal
import socket
import sys

import aiohttp
import pytest

COMMAND = (sys.executable, "-W", "error", "-m", "dify_async.testing")


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_end(
    number: signal.Signals, session: aiohttp.ClientSession
) -> None:
    process = await start("--version", "1.9.1", "--apps", "3", "--latency", "0.01")
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    found = re.fullmatch(r"Dify 1\.9\.1 \(a fake\) at (http://127\.0\.0\.1:\d+)\n", line)
    assert found
    url = f"{found[1]}/console/api"
    login = {"email": "owner@example.com", "password": "Secret-Pass-42"}
    async with session.post(f"{url}/login", json=login) as answer:
        token = (await answer.json())["data"]["access_token"]
    async with session.get(f"{url}/apps", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert (await answer.json())["total"] == 3
    process.send_signal(number)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"owner@example.com" in out
    assert b"Secret-Pass-42" in out


@pytest.mark.parametrize(("arguments", "told"), [(("--version", "latest"), "Not a Dify version: 'latest'.")])
async def test_wrong_arguments(arguments: tuple[str, ...], told: str) -> None:
    process = await start(*arguments)
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode().startswith(f"error: {told}")
    assert err.count(b"\n") == 1


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start("--port", str(taken.getsockname()[1]))
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"error: ")
    assert err.count(b"\n") == 1
