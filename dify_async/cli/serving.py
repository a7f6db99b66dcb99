"""Serve until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Annotated, Final

from aiohttp import web
from cyclopts import Parameter
from cyclopts.validators import Number

from dify_async.web.access import check_host

from .console import UsageError, naming

# Clients have half a second to finish, and another half after cancellation.
_SHUTDOWN_TIMEOUT: Final = 0.5

Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65535))]
Names = Annotated[list[str] | None, Parameter(name="--name")]


def checked(names: Names) -> list[str]:
    """The values of --name."""
    with naming("--name"):
        check_host(names or ())
    return names or []


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use is an error before anything else starts."""
    is_ipv6 = ":" in host
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if is_ipv6 else socket.AF_INET)
    except OSError as error:
        raise cannot_listen(host, port, error) from None


def cannot_listen(host: str, port: int, error: OSError) -> UsageError:
    """The error for a port that cannot be used."""
    number = error.errno or 0
    if number < 0:
        return UsageError(f"cannot listen on {host!r}: host name not found")
    # Not `strerror`, to which Python and asyncio add the address.
    reason = os.strerror(number) if number else str(error)
    return UsageError(f"cannot listen on port {port} of {host}: {reason}")


def url_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(app: web.Application, listener: socket.socket, message: str) -> None:
    """Serve an application until Ctrl-C or SIGTERM. Once it is up, print a line."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError):  # on Windows, and in a thread of a test
            loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        print(message, flush=True)  # noqa: T201 - the result of the command
        await stop.wait()
    finally:
        await runner.cleanup()
