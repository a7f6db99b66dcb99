"""The options that all commands share, and the client that they describe."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from cyclopts import Group, Parameter

from dify_async._http.urls import normal_base_url
from dify_async._secrets import masked
from dify_async.client import AsyncDifyServer
from dify_async.errors import DifyConfigError
from dify_async.tokens import MemoryTokenStore

from .console import UsageError, naming, note

if TYPE_CHECKING:
    from dify_async.redis_store import RedisTokenStore

T = TypeVar("T")

_GROUP: Final = Group("Connection", sort_key=10)
# The arguments of the client that its errors name.
_ARGUMENT: Final = re.compile(r"\b(?:base_url|email|(?<=email and )password|admin_api_key|workspace_id)\b")
# A little latency shows the progress as it is with a real server.
_DEMO_LATENCY: Final = 0.02


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True, kw_only=True)
class Connection:
    """Which server to use, and how to log in.

    Attributes:
        base_url: The server's URL. Default: DIFY_BASE_URL.
        email: The account's email address. Default: DIFY_EMAIL. The password is read from DIFY_PASSWORD, or
            asked for at a terminal.
        demo: Use a fake server with generated apps, which needs no account.
        redis_url: Share the login with other processes through this Redis. Default: DIFY_REDIS_URL.
    """

    base_url: str | None = None
    email: str | None = None
    demo: Annotated[bool, Parameter(show_default=False)] = False
    redis_url: str | None = None

    @contextmanager
    def client(self) -> Iterator[Client]:
        """The client. Asks for a missing password."""
        if self.demo and (self.base_url, self.email) != (None, None):
            raise UsageError("--demo has its own server and account: leave out --base-url and --email")
        store = None if self.redis_url is None else _redis_store(self.redis_url)
        if not self.demo:
            yield Client(self._client_of_server(store), store)
            return
        from dify_async.testing.demo import DemoServer  # noqa: PLC0415 - it takes time to import

        with DemoServer(latency=_DEMO_LATENCY) as fake:
            note(f"using a fake server at {fake.base_url}")
            tokens = store or MemoryTokenStore()
            yield Client(AsyncDifyServer(fake.base_url, fake.email, fake.password, token_store=tokens), store)

    def _client_of_server(self, store: RedisTokenStore | None) -> AsyncDifyServer:
        try:
            return AsyncDifyServer.from_env(**self._options(), token_store=store)
        except DifyConfigError as error:
            text = _ARGUMENT.sub(lambda name: self._source_of(name[0]), str(error))
            raise UsageError(text) from None

    def _source_of(self, argument: str) -> str:
        """The option or variable that an argument of the client is from."""
        if getattr(self, argument, None):
            return f"--{argument.replace('_', '-')}"
        return f"DIFY_{argument.upper()}"

    def _options(self) -> dict[str, Any]:
        given = {"base_url": self.base_url, "email": self.email}
        options: dict[str, Any] = {name: value for name, value in given.items() if value}
        url, email = (options.get(name) or os.environ.get(f"DIFY_{name.upper()}") for name in given)
        if not url:
            raise UsageError("no server: pass --base-url, or set DIFY_BASE_URL; --demo needs none")
        normal_base_url(url)  # before the password is asked for
        uses_admin_key = not self.email and os.environ.get("DIFY_ADMIN_API_KEY")
        if not uses_admin_key and not email:
            raise UsageError("no account: pass --email, or set DIFY_EMAIL")
        if not uses_admin_key and not os.environ.get("DIFY_PASSWORD"):
            options |= {"email": email, "password": masked(_ask_for_password(f"{email} at {url}"))}
        return options


class Client:
    """A client, which is opened for each task that it runs, and the store to close with it."""

    def __init__(self, dify: AsyncDifyServer, store: RedisTokenStore | None) -> None:
        self._dify = dify
        self._store = store

    def run(self, task: Callable[[AsyncDifyServer], Awaitable[T]]) -> T:
        """Run a task in a new event loop. The login is kept for the next one."""
        return asyncio.run(self._run(task))

    async def _run(self, task: Callable[[AsyncDifyServer], Awaitable[T]]) -> T:
        try:
            async with self._dify as dify:
                return await task(dify)
        finally:
            if self._store is not None:
                await self._store.aclose()


def _redis_store(url: str) -> RedisTokenStore:
    from dify_async.redis_store import RedisTokenStore  # noqa: PLC0415 - it imports redis

    with naming("--redis-url"):
        return RedisTokenStore(masked(url))


def _ask_for_password(account: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("no password: set DIFY_PASSWORD, or run the command at a terminal")
    try:
        password = getpass.getpass(f"Password of {account}: ")
    except EOFError:
        password = ""
    if not password:
        raise UsageError("no password was entered")
    return password
