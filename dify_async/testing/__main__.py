"""Serve the fake console until Ctrl-C: `python -m dify_async.testing`."""

import argparse
import asyncio
import signal
import sys
from contextlib import suppress

from dify_async.testing.server import FakeDifyServer


def main(arguments: list[str] | None = None) -> int:
    """Serve, and return the exit code: 2 for a wrong argument, 1 for a port that is taken."""
    parser = argparse.ArgumentParser(prog="python -m dify_async.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen (default: a free port)")
    parser.add_argument("--version", default="1.11.2", help="the release of Dify to be (default: 1.11.2)")
    parser.add_argument("--apps", type=int, default=12, help="how many apps to make up (default: 12)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer (default: 0)")
    options = parser.parse_args(arguments)
    try:
        fake = FakeDifyServer(options.version, port=options.port, apps=options.apps, latency=options.latency)
    except ValueError as error:
        return _fail(error, 2)
    try:
        asyncio.run(_serve(fake))
    except (OSError, OverflowError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:  # where the event loop takes no signal handlers
        pass
    return 0


async def _serve(fake: FakeDifyServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with fake:
        sys.stdout.write(
            f"Dify {fake.version} (a fake) at {fake.base_url}\n"
            f"E-mail:   {fake.email}\nPassword: {fake.password}\nCtrl-C ends it.\n"
        )
        sys.stdout.flush()
        await stop.wait()


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"error: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
