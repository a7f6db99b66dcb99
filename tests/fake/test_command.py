"""`python -m dify_async.testing`."""

import asyncio
import io
import re
import signal
import socket
import sys

import aiohttp
import pytest

from dify_async.testing.__main__ import main

COMMAND = (sys.executable, "-W", "error", "-m", "dify_async.testing")


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=pipe, stderr=pipe)


@pytest.mark.slow
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


@pytest.mark.parametrize("version", ["latest", "1"])
def test_an_unknown_version(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", version]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: Not a Dify version: {version!r}. Give digits, such as 1.11.2.\n")


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert main(["--port", "65536"]) == 1


class Impatient(io.StringIO):
    """Presses Ctrl-C as soon as there is something to read."""

    def flush(self) -> None:
        if not self.closed:
            signal.raise_signal(signal.SIGINT)


def test_it_ends_in_this_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Impatient() as terminal:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            assert main(["--apps", "0"]) == 0
        assert "Press Ctrl-C to stop." in terminal.getvalue()
