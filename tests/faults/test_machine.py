"""Any order of events: no refresh token is used twice, there is no loop, and the login budget is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dify_async import DifyError, DifyLoginError, LoginAttempts, MemoryTokenStore
from dify_async.testing import FakeDifyServer
from tests.support import client

RIGHT, OTHER = "Right-Pass-1", "Other-Pass-1"


class Session(RuleBasedStateMachine):
    """One client and one server, from login to lock."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.fake = FakeDifyServer("1.11.2", password=RIGHT)
        self.run(self.fake.__aenter__())
        self.store = MemoryTokenStore()
        self.dify = client(self.fake, password=RIGHT, token_store=self.store)
        self.run(self.dify.__aenter__())
        self.reasons_to_sign_in = 1
        self.is_refused = False

    def run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    def teardown(self) -> None:
        self.run(self.dify.__aexit__(None, None, None))
        self.run(self.fake.__aexit__(None, None, None))
        self.loop.close()

    def is_used_up(self) -> bool:
        """Whether the password was sent three times without success."""
        records = (one for one in self.store._tokens.values() if isinstance(one, LoginAttempts))
        return any(times >= 3 for record in records for times in record.sent.values())

    async def _call(self, times: int) -> None:
        before = self.fake.count()
        results = await asyncio.gather(*(self.dify.profile() for _ in range(times)), return_exceptions=True)
        errors = [one for one in results if isinstance(one, BaseException)]
        assert all(isinstance(error, DifyError) for error in errors)
        sent = self.fake.count() - before
        assert sent <= 4 * times + 6, "a loop"
        if self.is_refused:
            assert sent == 0
        elif self.fake.password == RIGHT and not self.is_used_up():
            assert errors == []
        self.is_refused = any(isinstance(error, DifyLoginError) for error in errors)

    @rule()
    def one_call(self) -> None:
        self.run(self._call(1))

    @rule()
    def many_calls(self) -> None:
        self.run(self._call(8))

    @rule()
    def expire(self) -> None:
        self.fake.expire_access_tokens()

    @rule()
    def revoke_refresh_tokens(self) -> None:
        self.fake.revoke_refresh_tokens()
        self.reasons_to_sign_in += 1

    @rule()
    def revoke_all(self) -> None:
        self.fake.revoke_all_tokens()
        self.reasons_to_sign_in += 1

    @rule()
    def change_the_password(self) -> None:
        self.fake.password = OTHER if self.fake.password == RIGHT else RIGHT

    @rule()
    def log_in(self) -> None:
        self.reasons_to_sign_in += 1
        self.is_refused = False
        try:
            self.run(self.dify.login())
        except DifyLoginError:
            self.is_refused = True

    @rule()
    def restart(self) -> None:
        """A new client of the same store, as in a crash loop."""
        self.run(self.dify.__aexit__(None, None, None))
        self.dify = client(self.fake, password=RIGHT, token_store=self.store)
        self.run(self.dify.__aenter__())
        self.reasons_to_sign_in += 1
        self.is_refused = False

    @rule()
    def log_out(self) -> None:
        self.reasons_to_sign_in += 1
        self.run(self.dify.logout())

    @rule()
    def fail_at_the_renewal(self) -> None:
        self.fake.inject("/refresh-token", status=500, times=1)
        self.reasons_to_sign_in += 1  # where the second attempt fails too

    @invariant()
    def no_token_is_renewed_twice(self) -> None:
        refreshed = Counter(
            request.headers.get("Cookie", "")
            for request in self.fake.requests
            if request.path == "/refresh-token" and request.status == 200
        )
        assert not [count for count in refreshed.values() if count > 1]

    @invariant()
    def no_account_near_its_lock(self) -> None:
        """The fake counts for as long as the store does, whatever the client does."""
        assert self.fake.failed_logins(self.fake.email) <= 3

    @invariant()
    def no_password_too_many(self) -> None:
        assert self.fake.count("POST", "/login") <= self.reasons_to_sign_in


Session.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestSession = Session.TestCase
