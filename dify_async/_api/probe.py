"""What must be known about the server before a login: its version, and whether it allows passwords."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dify_async._http.retry import SAFE, Attempts
from dify_async._http.wire import UNREADABLE, Request, decode_error, status_error

from .endpoints import SYSTEM_FEATURES
from .versions import parse_version

if TYPE_CHECKING:
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply

    from .versions import Fact

logger = logging.getLogger("dify_async")


class ServerProbe:
    """The server's version, from X-Version, which every answer of Dify has, and whether it allows passwords.

    Attributes:
        upgrades: How often the version has changed since the client was created.
    """

    def __init__(self, sender: Sender, policy: RetryPolicy, version: str | None) -> None:
        self._sender = sender
        self._policy = policy
        self._is_given = version is not None
        self._version = version
        self._password_login: bool | None = None
        self.upgrades = 0

    async def version(self) -> str:
        """The version; "" if a proxy hides it. The first call requests it, without logging in."""
        if self._version is None:
            self._version = await self._probe()
        return self._version

    async def supports(self, fact: Fact) -> bool:
        """Whether a fact is true for the server.

        The version is requested again before the answer is False: a call that is refused would never show
        that the server was upgraded.
        """
        was_known = self._version is not None
        if fact(await self.version()):
            return True
        if self._is_given or not was_known:
            return False
        self._version = await self._probe() or self._version
        return fact(await self.version())

    async def allows_passwords(self) -> bool:
        """Whether the server allows passwords or does not say; if the version is given, it is not asked."""
        if self._password_login is None and not self._is_given:
            self._version = await self._probe()
        return self._password_login is not False

    def forget(self) -> None:
        """Ask again before the next login."""
        self._password_login = None
        if not self._is_given:
            self._version = None

    def observe_version(self, reply: Reply, upgrades: int | None = None) -> None:
        """Read the version of an answer: servers are upgraded and downgraded while clients run.

        An answer without a version is ignored, since it may be from a proxy. So is an answer to a request
        from before the last change, when `upgrades` had another value.
        """
        version = reply.version
        if version == self._version or self._is_given or upgrades not in {None, self.upgrades}:
            return
        if parse_version(version) is None:
            return
        if self._version:
            logger.info("the server's version changed from %s to %s", self._version, version)
            self.upgrades += 1
        self._version = version

    async def _probe(self) -> str:
        # Not GET /version, which returns the newest release, or without internet the version that was sent.
        endpoint = SYSTEM_FEATURES
        url = self._sender.transport.url(endpoint.path, (), ())
        attempts = Attempts(self._policy, SAFE)
        reply = await self._sender(Request("GET", endpoint.path, url, {}, None), attempts)
        if reply.status == 200:
            try:
                self._password_login = endpoint.decode(reply.body).enable_email_password_login
            except UNREADABLE as error:
                raise decode_error("GET", endpoint.path, reply, error) from None
        elif not reply.version:
            # The answer is not from Dify, so nothing is known about the server.
            raise status_error("GET", endpoint.path, reply, attempts.made)
        return reply.version
