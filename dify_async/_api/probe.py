"""What is known of the server before anybody signs in: its version, and the ways to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._auth.rules import at_least
from dify_async._http.retry import IDEMPOTENT, Tries
from dify_async._http.transport import Request
from dify_async._http.wire import UNREADABLE, decode_error, status_error
from dify_async.errors import DifyDecodeError

from .endpoints import SYSTEM_FEATURES

if TYPE_CHECKING:
    from dify_async._auth.rules import Version
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply


class ServerProbe:
    """The server's version, and whether it takes passwords."""

    def __init__(self, sender: Sender, policy: RetryPolicy, version: str | None) -> None:
        self._sender = sender
        self._policy = policy
        self._fixed = version
        self._has_asked = False
        self._password_login: bool | None = None

    async def version(self) -> str:
        """The version; "" where a proxy hides it. Asks for it once, without signing in."""
        if self._fixed is not None:
            return self._fixed
        if not self._sender.version and not self._has_asked:
            await self._ask()
        return self._sender.version

    async def is_at_least(self, wanted: Version) -> bool:
        """Whether its version is this one or newer; it is asked again before it says no.

        Else a caller who is refused for the version would never send what shows an upgrade.
        """
        was_known = bool(self._sender.version)
        if at_least(await self.version(), wanted):
            return True
        if self._fixed is not None or not was_known:
            return False
        await self._ask()
        return at_least(await self.version(), wanted)

    async def allows_passwords(self) -> bool:
        """Whether it says so, or does not say; where the version was given, it is not asked."""
        if self._password_login is None and self._fixed is None and not self._has_asked:
            await self._ask()
        return self._password_login is not False

    def forget(self) -> None:
        """Ask again before the next login."""
        self._password_login, self._has_asked = None, False

    async def confirm(self) -> None:
        """Raise unless GET /system-features answers as Dify does."""
        await self._ask(strictly=True)

    def is_from_dify(self, reply: Reply) -> bool:
        """Whether an answer has X-Version, if earlier answers had it."""
        return bool(reply.version) or not self._sender.version

    async def _ask(self, *, strictly: bool = False) -> None:
        # Not GET /version: that is the newest release, and echoes the caller without the internet.
        endpoint = SYSTEM_FEATURES
        url = self._sender.transport.url(endpoint.path, (), ())
        request = Request("GET", endpoint.path, url, {}, None)
        tries = Tries(self._policy, IDEMPOTENT)
        reply = await self._sender(lambda: request, tries)
        if reply.status != 200:
            if strictly or not reply.version:
                # Not Dify's answer, so nothing is known of the server.
                raise status_error("GET", endpoint.path, reply, tries.used)
            self._has_asked = True
            return
        try:
            features = endpoint.decode(reply.body)
        except UNREADABLE as error:
            raise decode_error("GET", endpoint.path, reply, error) from None
        # Every version has this field [0.15.3 to 1.17-pre, system_features].
        if strictly and (features.sso_enforced_for_signin is None or not self.is_from_dify(reply)):
            raise DifyDecodeError("GET /system-features: the answer is not Dify's. Check base_url.")
        self._has_asked = True
        self._password_login = features.enable_email_password_login
