"""`FakeDifyServer`: Dify's console API on loopback, in memory."""

import ssl as ssl_module
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Self, Unpack

from dify_async._uncopyable import Uncopyable
from dify_async.testing._console.accounts import FakeAccount
from dify_async.testing._console.console import Console
from dify_async.testing._console.faults import Cut, Fault, RecordedRequest
from dify_async.testing._console.listener import Listener
from dify_async.testing._console.models import AppFields, FakeApp, generate_apps

# What the server gives to a new account.
TIMEZONE = "America/New_York"


class FakeDifyServer(Uncopyable):
    """A console API of Dify to test against, which answers as a server of `version` does.

    `async with FakeDifyServer() as fake:` serves one workspace with one account; it signs in with
    `fake.email` and `fake.password` at `fake.base_url`. The same arguments give the same apps and
    the same statistics in every run (times of creation apart).

    Args:
        version: The release to be, such as "0.15.3", "1.11.2" or "1.17.0".
        email: Address of the workspace's owner.
        password: The owner's password.
        apps: How many apps to make up, or the apps to serve.
        timezone: The owner's time zone, in whose days the apps are used.
        today: The last day on which the apps are used; by default the current one.
        latency: Seconds before each answer.
        access_token_lifetime: Seconds for which an access token is good.
        https_cookies: Whether cookies are Secure and have the prefix `__Host-`.
        hide_version: Whether X-Version and X-Env are left out, as some proxies do.
        base_path: A path before /console/api, such as "/dify".
        admin_api_key: A key that is taken as a bearer, together with X-WORKSPACE-ID.
        host: Where to listen.
        port: Where to listen; 0 for a free port.
        ssl: Serve https, with the certificate in this context.
        password_login: Whether the server lets people sign in with a password.
        masks_keys: Whether lists of API keys show masks such as "app-A...wxyz", as is announced for Dify.
        keep_alive: Seconds after which an idle connection is closed.
        seed: Makes other statistics, ids, and luck of faults with a probability.
    """

    _instead = "pass its base_url, email and password to the other process"

    def __init__(
        self,
        version: str = "1.11.2",
        *,
        email: str = "owner@example.com",
        password: str = "Secret-Pass-42",  # noqa: S107 - of a fake
        apps: int | Iterable[FakeApp] = 12,
        timezone: str = TIMEZONE,
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
        self._console = Console(
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
            self._console,
            base_path="/" + base_path.strip("/") if base_path else "",
            latency=latency,
            keep_alive=keep_alive,
            hide_version=hide_version,
            ssl=ssl,
        )
        self._address = host, port

    def __repr__(self) -> str:
        if not hasattr(self, "_listener"):  # its construction was refused
            return "<FakeDifyServer>"
        return f"<FakeDifyServer {self.version} at {self._listener.base_url or 'no port yet'}>"

    async def __aenter__(self) -> Self:
        await self._listener.start(*self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()
        if error is None:
            self._listener.raise_bug()

    @property
    def base_url(self) -> str:
        """Where it serves, base path included; known once it was entered."""
        if not self._listener.base_url:
            raise RuntimeError("The fake server has no address before `async with`.")
        return self._listener.base_url

    @property
    def version(self) -> str:
        """The release that it is."""
        return self._console.version

    @property
    def email(self) -> str:
        """The owner's address."""
        return self._console.owner.email

    @property
    def password(self) -> str:
        """The owner's password; set it to change the password on the server, which leaves tokens valid."""
        return self._console.owner.password

    @password.setter
    def password(self, password: str) -> None:
        self._console.owner.password = password

    @property
    def timezone(self) -> str:
        """The owner's time zone, which POST /account/timezone changes."""
        return self._console.owner.timezone or ""

    @property
    def workspace_id(self) -> str:
        """The id of the workspace."""
        return self._console.workspace_id

    @property
    def apps(self) -> list[FakeApp]:
        """The apps, the oldest first."""
        return self._console.apps

    @property
    def today(self) -> date:
        """The last day on which the apps are used."""
        return self._console.today

    @property
    def password_login(self) -> bool:
        """Whether the server lets people log in with a password; may be switched while it runs."""
        return self._console.password_login

    @password_login.setter
    def password_login(self, enabled: bool) -> None:
        self._console.password_login = enabled

    @property
    def setup_finished(self) -> bool:
        """False makes nearly every route answer 401 `not_setup`, as a new server does."""
        return self._console.setup_finished

    @setup_finished.setter
    def setup_finished(self, finished: bool) -> None:
        self._console.setup_finished = finished

    @property
    def database_down(self) -> bool:
        """True makes the server fail by its own fault: a 500, and a 401 for a refresh up to Dify 1.15.

        No refresh token is spent in the meantime.
        """
        return self._console.database_down

    @database_down.setter
    def database_down(self, down: bool) -> None:
        self._console.database_down = down

    @property
    def requests(self) -> list[RecordedRequest]:
        """What it was asked, in order of arrival."""
        return self._listener.requests

    @property
    def peak_requests(self) -> int:
        """The most requests that were under way at once."""
        return self._listener.peak_requests

    @property
    def connections_opened(self) -> int:
        """How many TCP connections it accepted."""
        return self._listener.connections_opened

    def count(self, method: str | None = None, path: str = "*") -> int:
        """How many requests there were; `path` may have wildcards, without a method all count."""
        return sum(
            method in (None, request.method) and fnmatchcase(request.path, path) for request in self.requests
        )

    def reset_counters(self) -> None:
        """Forget the requests and begin to count anew."""
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
        """Let something go wrong with the requests that match.

        Of several faults the first that matches and is not used up strikes.

        Args:
            path: Pattern for the path below /console/api, such as "/apps/*".
            method: Only this method.
            status: Answer with this status, in the server's error shape, and do nothing else.
            headers: Headers to add to the answer, or to put in the place of its own.
            body: Answer with exactly these bytes; text/html unless `headers` say otherwise.
            delay: Seconds to wait first.
            cut: Close the connection: "before" the request takes effect, "after" it did, or with
                half of the answer's "body" sent.
            times: How many requests to strike; all of them by default.
            probability: The share of matching requests to strike.

        Returns:
            The fault, which counts its `hits` and ends with `remove()`.
        """
        fault = Fault(
            path=path,
            method=method,
            status=status,
            headers=headers or {},
            body=body,
            delay=delay,
            cut=cut,
            times=times,
            probability=probability,
        )
        self._listener.faults.append(fault)
        return fault

    def remove_faults(self) -> None:
        """Remove every fault that was injected; a fake that several tests share needs it between them."""
        while self._listener.faults:
            self._listener.faults.pop().remove()

    def expire_access_tokens(self) -> None:
        """Access and CSRF tokens issued so far are past their time: "Token has expired."."""
        self._console.tokens.expire_access()

    def revoke_refresh_tokens(self) -> None:
        """Refresh tokens issued so far are refused: "Invalid refresh token"."""
        self._console.tokens.revoke_refresh()

    def revoke_all_tokens(self) -> None:
        """No token issued so far is good; access tokens get "Invalid token signature."."""
        self._console.tokens.revoke_access()
        self._console.tokens.revoke_refresh()

    def unlock(self) -> None:
        """Let addresses sign in again that were locked after wrong passwords."""
        self._console.accounts.unlock()

    def add_app(self, name: str, mode: str, **fields: Unpack[AppFields]) -> FakeApp:
        """Serve one more app; `fields` are those of `FakeApp`."""
        return self._console.take(FakeApp(name=name, mode=mode, **fields))

    def add_workspace(self, name: str) -> str:
        """One more workspace of every account; gives its id."""
        workspace_id = self._console.new_id("workspace")
        self._console.workspaces[workspace_id] = name
        return workspace_id

    def login_code(self, token: str | None = None) -> str:
        """The code that was mailed for the token of POST /email-code-login, or the newest code."""
        codes = self._console.login_codes
        return codes[next(reversed(codes)) if token is None else token][1]

    def add_account(
        self,
        email: str,
        password: str,
        *,
        workspace: bool = True,
        banned: bool = False,
        timezone: str | None = TIMEZONE,
    ) -> FakeAccount:
        """Let somebody else sign in.

        Args:
            email: The address.
            password: The password.
            workspace: Whether the account is in the workspace; without one a sign-in is refused.
            banned: Whether the account is banned.
            timezone: The account's own time zone; None is what makes a server's statistics crash.
        """
        return self._console.add_account(
            email, password, timezone=timezone, role="admin", workspace=workspace, banned=banned
        )

    def remove_account(self, email: str) -> None:
        """Delete an account: its tokens get 401 "Unauthorized." from now on."""
        self._console.accounts.remove(email)
