"""One process of the soak: clients of one account that are started again and again.

It has its own server. In the process of the main one, which is busy, the clients would find Redis too slow.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

import anyio
import anyio.to_thread
import msgspec

from dify_async import AsyncDifyServer, DifyError, Event, RedisTokenStore, RequestStarted, StoreDown
from dify_async.testing import FakeDifyServer
from tests.soak.faults import LIFETIME, inject_faults, longest_run_without_success

_BUDGET = 3  # wrong passwords
_LOOPS = 3


class RestartsJob(msgspec.Struct):
    """The task of the process."""

    redis_url: str
    seconds: float


class RestartsReport(msgspec.Struct):
    """The results of the process.

    Attributes:
        restarts: How many clients were started and closed.
        ended: Loops that ended early, because a client raised something other than a `DifyError`.
        without_store: Logins of clients that found Redis down after the password was changed.
        wrong_passwords: How many wrong passwords the server counted over the budget.
        used_up: Calls that failed because the right password counted as used up.
        slowest: The longest time that a client took to open, call and close, in seconds.
    """

    restarts: int = 0
    ended: int = 0
    without_store: int = 0
    wrong_passwords: int = 0
    used_up: int = 0
    slowest: float = 0.0


class Restarts:
    """The clients of one process."""

    def __init__(self, job: RestartsJob) -> None:
        self._job = job
        self._end = time.monotonic() + job.seconds
        self._is_changed = False
        self.report = RestartsReport()

    async def run(self) -> None:
        """Start clients until the end; after a line from the parent, their password is wrong.

        The parent sends it after the last outage: a Redis that was killed has lost what it counted.
        """
        async with FakeDifyServer("1.11.2", access_token_lifetime=LIFETIME) as fake:
            inject_faults(fake)
            password = fake.password
            loops = [asyncio.create_task(self._loop(fake, password)) for _ in range(_LOOPS)]
            await anyio.to_thread.run_sync(sys.stdin.readline)
            await anyio.sleep(1)  # until the clients that found Redis down are closed
            if longest_run_without_success(list(fake.requests)) >= _BUDGET:
                self.report.used_up = 0  # as it should be
            self._is_changed = True
            fake.password = "Changed-Pass-1"
            fake.revoke_all_tokens()
            results = await asyncio.gather(*loops, return_exceptions=True)
            self.report.ended = sum(result is not None for result in results)
            counted = fake.failed_logins(fake.email) - _BUDGET - self.report.without_store
            self.report.wrong_passwords = max(0, counted)

    async def _loop(self, fake: FakeDifyServer, password: str) -> None:
        while time.monotonic() < self._end:
            started = time.monotonic()
            await self._one_client(fake, password)
            self.report.restarts += 1
            self.report.slowest = max(self.report.slowest, time.monotonic() - started)

    async def _one_client(self, fake: FakeDifyServer, password: str) -> None:
        store = RedisTokenStore(self._job.redis_url)
        seen: list[Event] = []
        async with AsyncDifyServer(
            fake.base_url, fake.email, password, token_store=store, on_event=seen.append
        ) as dify:
            for call in (dify.profile, dify.login, dify.profile):
                try:
                    await call()
                except DifyError as error:
                    self.report.used_up += not self._is_changed and "times without success" in str(error)
                await anyio.sleep(0.05)
        await store.aclose()
        # If the machine is so busy that Redis, which is up, does not answer a client within a second, the
        # logins of that client alone are not counted.
        if self._is_changed:
            kinds = Counter(
                event.route if isinstance(event, RequestStarted) else type(event).__name__ for event in seen
            )
            self.report.without_store += kinds["/login"] if kinds[StoreDown.__name__] else 0


if __name__ == "__main__":
    restarts = Restarts(msgspec.json.decode(sys.argv[1], type=RestartsJob))
    asyncio.run(restarts.run())
    sys.stdout.buffer.write(msgspec.json.encode(restarts.report))
