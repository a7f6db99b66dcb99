"""`FakeDifyServer`: Dify's console API on loopback, in memory."""

import ssl as ssl_module
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Self

from dify_async.testing._console.faults import Cut, Fault, RecordedRequest
from dify_async.testing._console.listener import Listener
from dify_async.testing._console.models import FakeApp, generate_apps
from dify_async.testing._console.state import DEFAULT_TIMEZONE, State
from dify_async.testing._thread import ServerThread
from dify_async.testing.clients import Clients
from dify_async.testing.contents import Contents


class FakeDifyServer(Clients, Contents):
    """A fake of Dify's console API that behaves like a server of `version`.

    `async with FakeDifyServer() as fake:` serves one workspace with one account: log in at
    `fake.base_url` with `fake.email` and `fake.password`, or use `fake.client()`. `with FakeDifyServer()`
    serves it in a background thread, for code with or without an event loop. The same arguments give the same
    apps and statistics in every run, except for times of creation.

    Args:
        version: The version of Dify, such as "0.15.3", "1.11.2" or "1.17.0".
        email: The address of the workspace's owner.
        password: The owner's password.
        apps: The number of apps to generate, or the apps to serve.
        timezone: The owner's time zone, which defines the days of the generated traffic.
        today: The last day with traffic; by default the current day.
        latency: Seconds before each response.
        access_token_lifetime: Seconds until an access token expires.
        https_cookies: Whether cookies are Secure and have the prefix `__Host-`.
        hide_version: Whether the headers X-Version and X-Env are omitted, as behind some proxies.
        base_path: A path before /console/api, such as "/dify".
        admin_api_key: A key that is accepted as a bearer token together with X-WORKSPACE-ID.
        host: The address to listen on.
        port: The port to listen on; 0 for a free one.
        ssl: Serve https with the certificate in this context.
        password_login: Whether login with a password is enabled.
        masks_keys: Whether lists of API keys show masks such as "app-A...wxyz", as announced for Dify.
        keep_alive: Seconds until an idle connection is closed.
        seed: Changes the traffic, the ids, and which requests a fault with a probability affects.
    """

    def __init__(
        self,
        version: str = "1.11.2",
        *,
        email: str = "owner@example.com",
        password: str = "Secret-Pass-42",  # noqa: S107 - not a secret
        apps: int | Iterable[FakeApp] = 12,
        timezone: str = DEFAULT_TIMEZONE,
        today: date | None = None,
        latency: float = 0.0,
        access_token_lifetime: float = 3600,
        https_cookies: bool = False,
        hide_version: bool = False,
        base_path: str = "",
        admin_api_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl: ssl_module.SSLContext | None = None,
        password_login: bool = True,
        masks_keys: bool = False,
        keep_alive: float = 2.0,
        seed: int = 0,
    ) -> None:
        self._state = State(
            version,
            email=email,
            password=password,
            apps=generate_apps(apps) if isinstance(apps, int) else apps,
            timezone=timezone,
            today=today,
            access_token_lifetime=access_token_lifetime,
            https_cookies=https_cookies,
            admin_api_key=admin_api_key,
            password_login=password_login,
            masks_keys=masks_keys,
            seed=seed,
        )
        self._listener = Listener(
            self._state,
            base_path="/" + base_path.strip("/") if base_path else "",
            latency=latency,
            keep_alive=keep_alive,
            hide_version=hide_version,
            ssl=ssl,
        )
        self._address = host, port
        self._thread: ServerThread

    def __repr__(self) -> str:
        if not hasattr(self, "_listener"):  # __init__ raised an error
            return "<FakeDifyServer>"
        return f"<FakeDifyServer {self.version} at {self._listener.base_url or 'no address'}>"

    async def __aenter__(self) -> Self:
        await self._listener.start(*self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()
        if error is None:
            self._listener.raise_bug()

    def __enter__(self) -> Self:
        self._thread = ServerThread(lambda: self._listener.start(*self._address), self._listener.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()
        if error is None:
            self._listener.raise_bug()

    @property
    def version(self) -> str:
        """The version of Dify."""
        return self._state.version

    @property
    def email(self) -> str:
        """The owner's address."""
        return self._state.owner.email

    @property
    def password(self) -> str:
        """The owner's password; setting it changes the password on the server and keeps tokens valid."""
        return self._state.owner.password

    @password.setter
    def password(self, password: str) -> None:
        self._state.owner.password = password

    @property
    def timezone(self) -> str:
        """The owner's time zone, which POST /account/timezone changes."""
        return self._state.owner.timezone or ""

    @property
    def workspace_id(self) -> str:
        """The id of the workspace."""
        return self._state.workspace_id

    @property
    def apps(self) -> list[FakeApp]:
        """The apps, oldest first."""
        return self._state.apps

    @property
    def today(self) -> date:
        """The last day with traffic."""
        return self._state.today

    @property
    def password_login(self) -> bool:
        """Whether login with a password is enabled; can be changed at any time."""
        return self._state.password_login

    @password_login.setter
    def password_login(self, enabled: bool) -> None:
        self._state.password_login = enabled

    @property
    def setup_finished(self) -> bool:
        """Set to False to make almost every route return 401 `not_setup`, as on a new server."""
        return self._state.setup_finished

    @setup_finished.setter
    def setup_finished(self, finished: bool) -> None:
        self._state.setup_finished = finished

    @property
    def database_down(self) -> bool:
        """Set to True to make requests fail: a 500, or a 401 for a refresh up to Dify 1.15."""
        return self._state.database_down

    @database_down.setter
    def database_down(self, down: bool) -> None:
        self._state.database_down = down

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests, in order of arrival."""
        return self._listener.requests

    @property
    def peak_requests(self) -> int:
        """The highest number of concurrent requests."""
        return self._listener.peak_requests

    @property
    def connections_opened(self) -> int:
        """The number of TCP connections accepted."""
        return self._listener.connections_opened

    def count(self, method: str | None = None, path: str = "*") -> int:
        """The number of requests with this method and path; `path` may contain wildcards."""
        return sum(method in (None, one.method) and fnmatchcase(one.path, path) for one in self.requests)

    def reset_counters(self) -> None:
        """Forget the requests and restart all counters."""
        self._listener.reset()

    def inject(
        self,
        path: str = "*",
        method: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        delay: float = 0.0,
        cut: Cut | None = None,
        times: int | None = None,
        probability: float = 1.0,
    ) -> Fault:
        """Inject a fault into matching requests. It counts its `hits`, and its `remove()` ends it.

        If several faults match, only the first one that is not used up applies.

        Args:
            path: A pattern for the path below /console/api, such as "/apps/*".
            method: Match only this method.
            status: Answer with this status in the server's error format; the request has no effect.
            headers: Headers to add to the response, or to replace.
            body: Answer with exactly these bytes, as text/html unless `headers` has a content type.
            delay: Seconds to wait before the response.
            cut: Close the connection "before" the request takes effect, "after" it did, or halfway
                through the "body" of the response.
            times: The number of requests to affect; all of them by default.
            probability: The share of matching requests to affect.
        """
        fault = Fault(path, method, status, headers or {}, body, delay, cut, times, probability)
        self._listener.faults.append(fault)
        return fault

    def remove_faults(self) -> None:
        """Remove all faults, for example between tests that share a server."""
        while self._listener.faults:
            self._listener.faults.pop().remove()

    def expire_access_tokens(self) -> None:
        """Expire all access and CSRF tokens issued so far: a 401 "Token has expired."."""
        self._state.tokens.expire_access()

    def revoke_refresh_tokens(self) -> None:
        """Revoke all refresh tokens issued so far: a 401 "Invalid refresh token"."""
        self._state.tokens.revoke_refresh()

    def revoke_all_tokens(self) -> None:
        """Revoke all tokens issued so far; for access tokens, a 401 "Invalid token signature."."""
        self._state.tokens.revoke_access()
        self._state.tokens.revoke_refresh()

    def failed_logins(self, email: str) -> int:
        """How many wrong passwords count toward the lock of an address."""
        return self._state.accounts.failed_logins(email)

    def unlock(self) -> None:
        """Unlock the addresses that were locked after wrong passwords."""
        self._state.accounts.unlock()
