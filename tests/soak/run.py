"""The soak: a fake server with faults, a Redis that is killed, and processes that may not notice."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import anyio
import anyio.to_thread
import msgspec

from dify_async import (
    AsyncDifyServer,
    DifyError,
    Event,
    RedisTokenStore,
    RequestStarted,
    StoreDown,
)
from dify_async.testing import FakeDifyServer, Fault, RecordedRequest
from tests.redis_server import RedisServer
from tests.soak.worker import Order, Report

LIFETIME = 2.0
_ADMIN_API_KEY = "Soak-Admin-Key"
_RENEWED_AT = 0.9 * LIFETIME
# After a failure the store is left alone for 5 s, and then saved to within some more.
_APART_AFTER_OUTAGE = 15.0
_GROWTH_KIB = 8 * 1024
_BUDGET = 3  # wrong passwords


@dataclass(frozen=True)
class Plan:
    """How much of it."""

    processes: int = 4
    tasks: int = 50
    seconds: float = 60.0
    outages: int = 2
    outage: float = 4.0


@dataclass
class Result:
    """What came of it."""

    plan: Plan
    reports: list[Report]
    requests: int
    faults: int
    session_faults: int
    sign_ins: int
    renewals: int
    used_twice: int
    locks_left: int
    keys_left: int
    restarts: int
    wrong_passwords: int
    without_store: int
    took: float

    @property
    def explained(self) -> int:
        """So many sign-ins and renewals the expiries, the faults and the outages explain.

        One a lifetime while Redis is there; while it is not, one a process. A lost answer costs two
        more: its refresh token is spent, so that a second try is refused and a sign-in follows.
        """
        apart = min(self.took, self.plan.outages * (self.plan.outage + _APART_AFTER_OUTAGE))
        together = self.took - apart
        rounds = math.ceil(together / _RENEWED_AT) + self.plan.processes * math.ceil(apart / _RENEWED_AT)
        return 1 + rounds + 2 * self.session_faults

    def broken(self) -> list[str]:
        """The promises that were not kept."""
        reports = self.reports
        checks = {
            "calls failed that should not": sum(report.failed for report in reports),
            "refresh tokens were used again after they had been renewed": self.used_twice,
            "sign-ins and renewals that nothing explains": max(
                0, self.sign_ins + self.renewals - self.explained
            ),
            "locks stayed in Redis": self.locks_left,
            # Where a sign-in had to fail, so had what was to delete them.
            "keys stayed at the server": max(
                0, self.keys_left - sum(report.had_to_fail.get("sign-in", 0) for report in reports)
            ),
            "wrong passwords too many were counted by the server": self.wrong_passwords,
            "tasks more in the course of time": sum(report.tasks_grown for report in reports),
            "files more in the course of time": sum(report.files_grown for report in reports),
            "tasks stayed": sum(report.tasks_left for report in reports),
            "files stayed open": sum(max(0, report.files_left) for report in reports),
            "processes grew": sum(report.grown_kib > _GROWTH_KIB for report in reports),
            "processes did not report": self.plan.processes - len(reports),
        }
        texts = [text for report in reports for text in report.texts]
        return [f"{number} {what}" for what, number in checks.items() if number] + texts

    def lines(self) -> list[str]:
        """The counts, to be read."""
        calls, had_to_fail = Counter[str](), Counter[str]()
        for report in self.reports:
            calls.update(report.calls)
            had_to_fail.update(report.had_to_fail)
        return [
            f"{self.plan.processes} processes x {self.plan.tasks} tasks, {self.took:.1f} s",
            f"calls: {calls.total()} ({', '.join(f'{name} {n}' for name, n in sorted(calls.items()))})",
            f"given up on purpose: {sum(report.cancelled for report in self.reports)}",
            f"changes that had to fail: {dict(had_to_fail)}",
            f"requests: {self.requests}, of them struck by a fault: {self.faults}",
            f"sign-ins: {self.sign_ins}, renewals: {self.renewals}, explained: {self.explained}",
            f"restarted clients: {self.restarts}, their logins without Redis: {self.without_store}",
            f"growth of memory: {', '.join(f'{report.grown_kib} KiB' for report in self.reports)}",
        ]


async def soak(plan: Plan) -> Result:
    """Run it; it ends by itself."""
    loop = asyncio.get_running_loop()
    with RedisServer() as redis:
        async with FakeDifyServer(
            "1.11.2",
            apps=plan.processes * plan.tasks,
            access_token_lifetime=LIFETIME,
            admin_api_key=_ADMIN_API_KEY,
        ) as fake:
            workers = [await _start(plan, fake, redis, number) for number in range(plan.processes)]
            try:
                with anyio.fail_after(plan.seconds + 60):
                    for worker in workers:
                        assert worker.stdout is not None
                        await worker.stdout.readline()
                    faults = _inject_faults(fake)
                    started = loop.time()
                    outages = asyncio.create_task(_outages(plan, redis))
                    restarts = asyncio.create_task(_restarts(plan, redis, outages))
                    answers = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
                    took = loop.time() - started
                    apart = await outages
                    restarted = await restarts
            finally:
                for worker in workers:
                    if worker.returncode is None:
                        worker.kill()
                        await worker.wait()
            reports = [msgspec.json.decode(out, type=Report) for out, _ in answers if out]
            with redis.admin() as admin:
                locks = len(admin.keys("*:lock"))
            requests = list(fake.requests)
            fake.remove_faults()
            keys = await _count_keys(fake)
            return _result(
                plan,
                requests,
                faults,
                reports,
                apart=apart,
                locks=locks,
                keys=keys,
                restarted=restarted,
                took=took,
            )


def _inject_faults(fake: FakeDifyServer) -> list[Fault]:
    return [
        *(fake.inject(status=status, probability=0.05 / 4) for status in (500, 502, 503, 504)),
        fake.inject(cut="before", probability=0.01),
        fake.inject(cut="after", probability=0.005),
        fake.inject(cut="body", probability=0.005),
    ]


async def _start(plan: Plan, fake: FakeDifyServer, redis: RedisServer, number: int) -> Process:
    apps = [app.id for app in fake.apps[number :: plan.processes]]
    order = Order(fake.base_url, fake.email, fake.password, redis.url, apps, plan.seconds)
    arguments = [sys.executable, "-m", "tests.soak.worker", msgspec.json.encode(order).decode()]
    return await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE)


async def _outages(plan: Plan, redis: RedisServer) -> list[tuple[float, float]]:
    """From when until when the processes did not share their tokens."""
    apart = []
    between = (plan.seconds - plan.outages * plan.outage) / (plan.outages + 1)
    for _ in range(plan.outages):
        await anyio.sleep(between)
        killed = time.monotonic()
        await anyio.to_thread.run_sync(redis.kill)
        await anyio.sleep(plan.outage)
        await anyio.to_thread.run_sync(redis.start)
        apart.append((killed, time.monotonic() + _APART_AFTER_OUTAGE))
    return apart


async def _restarts(
    plan: Plan, redis: RedisServer, outages: asyncio.Task[list[tuple[float, float]]]
) -> tuple[int, int, int]:
    """Start clients of another server again and again; after the last outage their password is wrong.

    Returns how many there were, and how many wrong passwords the server has counted over the budget. If the
    machine is so busy that Redis, which is up, does not answer a client within a second, the logins of that
    client alone are not counted; their number is part of the output.

    A Redis that was killed has lost what it counted, so it is not killed after that.
    """
    restarts = without_store = 0
    end = time.monotonic() + plan.seconds

    async def restart(fake: FakeDifyServer, password: str) -> None:
        nonlocal restarts, without_store
        while time.monotonic() < end:
            store = RedisTokenStore(redis.url)
            seen: list[Event] = []
            async with AsyncDifyServer(
                fake.base_url, fake.email, password, token_store=store, on_event=seen.append
            ) as dify:
                for call in (dify.profile, dify.login, dify.profile):
                    with suppress(DifyError):
                        await call()
                    await anyio.sleep(0.05)
            await store.aclose()
            restarts += 1
            if any(isinstance(event, StoreDown) for event in seen):
                without_store += sum(
                    isinstance(event, RequestStarted) and event.route == "/login" for event in seen
                )

    async with FakeDifyServer("1.11.2", access_token_lifetime=LIFETIME) as fake:
        _inject_faults(fake)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(restart, fake, fake.password)
            await asyncio.wait([outages])
            await anyio.sleep(1)  # until the clients that found Redis down are closed
            without_store = 0
            fake.password = "Changed-Pass-1"
            fake.revoke_all_tokens()
        return restarts, max(0, fake.failed_logins(fake.email) - _BUDGET - without_store), without_store


async def _count_keys(fake: FakeDifyServer) -> int:
    """The API keys of all apps, asked for without a login, which would be counted."""
    async with AsyncDifyServer(
        fake.base_url, admin_api_key=_ADMIN_API_KEY, workspace_id=fake.workspace_id
    ) as dify:
        return sum([len(await dify.get_app_api_key(app.id)) for app in fake.apps])


def _used_twice(renewals: list[RecordedRequest], apart: list[tuple[float, float]]) -> int:
    """How often a refresh token was sent after it had brought new ones, which all processes knew."""
    spent: set[str] = set()
    times = 0
    for request in renewals:
        token = request.headers["Cookie"]
        times += token in spent and not any(start <= request.time <= end for start, end in apart)
        if request.status == 200:
            spent.add(token)
    return times


def _result(
    plan: Plan,
    requests: list[RecordedRequest],
    faults: list[Fault],
    reports: list[Report],
    *,
    apart: list[tuple[float, float]],
    locks: int,
    keys: int,
    restarted: tuple[int, int, int],
    took: float,
) -> Result:
    sessions = [request for request in requests if request.path in {"/login", "/refresh-token"}]
    renewals = [request for request in sessions if request.path == "/refresh-token"]
    return Result(
        plan=plan,
        reports=reports,
        requests=len(requests),
        faults=sum(fault.hits for fault in faults),
        session_faults=sum(request.status is None or request.status >= 500 for request in sessions),
        sign_ins=sum(request.path == "/login" for request in sessions),
        renewals=len(renewals),
        used_twice=_used_twice(renewals, apart),
        locks_left=locks,
        keys_left=keys,
        restarts=restarted[0],
        wrong_passwords=restarted[1],
        without_store=restarted[2],
        took=took,
    )
