"""What must be known about the server before a login: its version, and whether it allows passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._http.retry import SAFE, Attempts
from dify_async._http.wire import UNREADABLE, Request, decode_error, status_error
from dify_async.errors import DifyDecodeError

from .caller import load_decoder
from .endpoints import SYSTEM_FEATURES

if TYPE_CHECKING:
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply

    from .versions import Fact


class ServerProbe:
    """The server's version, from X-Version, and whether it allows passwords."""

    def __init__(self, sender: Sender, policy: RetryPolicy, version: str | None) -> None:
        self._sender = sender
        self._policy = policy
        self._fixed = version
        self._has_asked = False
        self._password_login: bool | None = None

    @property
    def known_version(self) -> str:
        """The version as far as it is known from earlier answers; "" if a proxy hides it."""
        return self._sender.version if self._fixed is None else self._fixed

    async def version(self) -> str:
        """The version; "" if a proxy hides it. The first call requests it, without logging in."""
        if self._fixed is None and not self._sender.version and not self._has_asked:
            await self._ask()
        return self.known_version

    async def supports(self, fact: Fact) -> bool:
        """Whether a fact is true for the server.

        The version is requested again before the result is False: a call that is refused would never show
        that the server was upgraded.
        """
        was_known = bool(self._sender.version)
        if fact(await self.version()):
            return True
        if self._fixed is not None or not was_known:
            return False
        await self._ask()
        return fact(await self.version())

    async def allows_passwords(self) -> bool:
        """Whether the server allows passwords or does not say; if the version is given, it is not asked."""
        if self._password_login is None and self._fixed is None and not self._has_asked:
            await self._ask()
        return self._password_login is not False

    def forget(self) -> None:
        """Ask again before the next login."""
        self._password_login, self._has_asked = None, False

    async def confirm(self) -> None:
        """Raise unless GET /system-features responds as Dify does."""
        await self._ask(strictly=True)

    def is_from_dify(self, reply: Reply) -> bool:
        """Whether a response has X-Version, if earlier responses had it."""
        return bool(reply.version) or not self._sender.version

    async def _ask(self, *, strictly: bool = False) -> None:
        # Not GET /version, which returns the newest release, or without internet the version that was sent.
        endpoint = SYSTEM_FEATURES
        url = self._sender.transport.url(endpoint.path, (), ())
        decode = load_decoder(endpoint, self._sender.transport, url)
        request = Request("GET", endpoint.path, url, {}, None)
        attempts = Attempts(self._policy, SAFE)
        reply = await self._sender(lambda: request, attempts)
        if reply.status != 200:
            if strictly or not reply.version:
                # The response is not from Dify, so nothing is known about the server.
                raise status_error("GET", endpoint.path, reply, attempts.made)
            self._has_asked = True
            return
        try:
            features = decode(reply.body)
        except UNREADABLE as error:
            raise decode_error("GET", endpoint.path, reply, error) from None
        # Every version has this field [0.15.3 to 1.17-pre, system_features].
        if strictly and (features.sso_enforced_for_signin is None or not self.is_from_dify(reply)):
            raise DifyDecodeError("GET /system-features: the response is not Dify's. Check base_url.")
        self._has_asked = True
        self._password_login = features.enable_email_password_login
