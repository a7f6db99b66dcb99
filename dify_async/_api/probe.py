"""What is known of the server before anybody signs in: its version, and the ways to sign in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dify_async._auth.rules import at_least, parse_version
from dify_async._http.retry import IDEMPOTENT, Tries
from dify_async._http.transport import Request
from dify_async._http.wire import UNREADABLE, decode_error, status_error

from .endpoints import SYSTEM_FEATURES

if TYPE_CHECKING:
    from dify_async._auth.rules import Version
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply


logger = logging.getLogger("dify_async")


class ServerProbe:
    """The server's version, read from X-Version, which every answer of Dify carries.

    Attributes:
        upgrades: How often the version has changed, as answers showed.
    """

    def __init__(self, sender: Sender, policy: RetryPolicy, version: str | None) -> None:
        self._sender = sender
        self._policy = policy
        self._fixed = version is not None
        self._version = version
        self._password_login: bool | None = None
        self.upgrades = 0

    async def version(self) -> str:
        """The version; "" where a proxy hides it. Asks for it once, without signing in."""
        if self._version is None:
            self._version = await self._asked()
        return self._version

    async def is_at_least(self, wanted: Version) -> bool:
        """Whether its version is this one or newer; it is asked again before it says no.

        Else a caller who is refused for the version would never send what shows an upgrade.
        """
        was_known = self._version is not None
        if at_least(await self.version(), wanted):
            return True
        if self._fixed or not was_known:
            return False
        self._version = await self._asked() or self._version
        return at_least(await self.version(), wanted)

    async def allows_passwords(self) -> bool:
        """Whether it says so, or does not say; where the version was given, it is not asked."""
        if self._password_login is None and not self._fixed:
            self._version = await self._asked()
        return self._password_login is not False

    def forget(self) -> None:
        """Ask again before the next sign-in."""
        self._password_login = None
        if not self._fixed:
            self._version = None

    def see(self, reply: Reply, upgrades: int | None = None) -> None:
        """Take note of the version in an answer: servers are upgraded and downgraded while clients run.

        An answer without one changes nothing: it may be a proxy's own. Neither does an answer from before
        the last change, which `upgrades` as it was when the request was sent tells apart.
        """
        version = reply.version
        if version == self._version or self._fixed or upgrades not in {None, self.upgrades}:
            return
        if parse_version(version) is None:
            return
        if self._version:
            logger.info("the server's version is %s now, and was %s", version, self._version)
            self.upgrades += 1
        self._version = version

    async def _asked(self) -> str:
        # Not GET /version: that is the newest release, and echoes the caller without the internet.
        endpoint = SYSTEM_FEATURES
        url = self._sender.transport.url(endpoint.path, (), ())
        request = Request("GET", endpoint.path, url, {}, None)
        tries = Tries(self._policy, IDEMPOTENT)
        reply = await self._sender(request, tries)
        if reply.status == 200:
            try:
                self._password_login = endpoint.decode(reply.body).enable_email_password_login
            except UNREADABLE as error:
                raise decode_error("GET", endpoint.path, reply, error) from None
        elif not reply.version:
            # Not Dify's answer, so nothing is known of what stands behind it.
            raise status_error("GET", endpoint.path, reply, tries.used)
        return reply.version
