"""Serve the fake server until Ctrl-C: `python -m dify_async.testing`."""

import argparse
import asyncio
import signal
import sys
from contextlib import suppress

from dify_async.testing.demo import DemoServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal, and return the exit code: 2 for an invalid argument, 1 for a port in use."""
    parser = argparse.ArgumentParser(prog="python -m dify_async.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--version", default="1.11.2", help="version of Dify (default: 1.11.2)")
    parser.add_argument("--apps", type=int, default=12, help="number of apps (default: 12)")
    parser.add_argument(
        "--latency", type=float, default=0.0, help="seconds before each response (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other ids and numbers")
    try:
        serve(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        return _fail(error, 2)
    except (OSError, OverflowError) as error:
        return _fail(error, 1)
    return 0


def serve(version: str, *, port: int, apps: int, latency: float, seed: int) -> None:
    """Serve until Ctrl-C or SIGTERM, and print the URL and the account.

    Raises:
        ValueError: The version is not one of Dify.
        OSError: The port is in use.
    """
    fake = DemoServer(version, port=port, apps=apps, latency=latency, seed=seed)
    with suppress(KeyboardInterrupt):  # if the event loop does not support signal handlers
        asyncio.run(_serve(fake))


async def _serve(fake: DemoServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with fake:
        sys.stdout.write(
            f"Dify {fake.version} (a fake) at {fake.base_url}\n"
            f"Email:    {fake.email}\nPassword: {fake.password}\nPress Ctrl-C to stop.\n"
        )
        sys.stdout.flush()
        await stop.wait()


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"error: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
