"""The soak: processes call a fake server with faults while Redis is killed and restarted."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from dataclasses import dataclass

import anyio
import anyio.to_thread
import msgspec

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer, Fault, RecordedRequest
from tests.redis_server import RedisServer
from tests.soak.faults import LIFETIME, inject_faults, longest_run_without_success
from tests.soak.restarts import RestartsJob, RestartsReport
from tests.soak.worker import Job, Report

_ADMIN_API_KEY = "Soak-Admin-Key"
_REFRESH_AFTER = 0.9 * LIFETIME
# A Redis that was restarted is empty: clients with older tokens learn of newer ones only when they are saved.
_UNSHARED_AFTER_OUTAGE = 15.0
_MAX_GROWTH_KIB = 8 * 1024
_HANGS_AFTER = 240.0  # a loaded machine takes a minute to start the processes


@dataclass(frozen=True)
class Plan:
    """The size of a soak."""

    processes: int = 4
    tasks: int = 50
    seconds: float = 60.0
    min_calls: int = 100  # per process; on a loaded machine, the soak takes longer than `seconds`
    outages: int = 2
    outage: float = 4.0


@dataclass
class Result:
    """The counts of a soak."""

    plan: Plan
    reports: list[Report]
    requests: int
    faults: int
    session_faults: int
    logins: int
    refreshes: int
    tokens_reused: int
    locks_left: int
    keys_left: int
    restarts: RestartsReport
    logins_without_success: int  # the most in a row
    unshared: float  # seconds
    elapsed: float

    @property
    def explained(self) -> int:
        """The most logins and refreshes that expiries, faults and outages explain.

        One per lifetime while Redis is up; one per lifetime and process while it is down. A lost answer
        allows two more: its refresh token is spent, so the retry is rejected and a login follows.
        """
        unshared = min(self.elapsed, self.unshared)
        shared = self.elapsed - unshared
        rounds = math.ceil(shared / _REFRESH_AFTER) + self.plan.processes * math.ceil(
            unshared / _REFRESH_AFTER
        )
        return 1 + rounds + 2 * self.session_faults

    def broken(self) -> list[str]:
        """The promises that were broken."""
        reports = self.reports
        checks = {
            "calls failed that should not": sum(report.failed for report in reports),
            "refresh tokens were used again after a refresh": self.tokens_reused,
            "logins and refreshes without a reason": max(0, self.logins + self.refreshes - self.explained),
            "locks were left in Redis": self.locks_left,
            "keys were left on the server": self.keys_left,
            "too many wrong passwords were counted": self.restarts.wrong_passwords,
            "calls failed although their password was right": self.restarts.used_up,
            "loops of restarted clients ended early": self.restarts.ended,
            "loops restarted no client": int(self.restarts.restarts == 0),
            "additional tasks over time": sum(report.tasks_grown for report in reports),
            "additional open files over time": sum(report.files_grown for report in reports),
            "tasks were left": sum(report.tasks_left for report in reports),
            "files were left open": sum(max(0, report.files_left) for report in reports),
            "processes grew": sum(report.grown_kib > _MAX_GROWTH_KIB for report in reports),
            "processes did not report": self.plan.processes - len(reports),
        }
        texts = [text for report in reports for text in report.texts]
        return [f"{number} {what}" for what, number in checks.items() if number] + texts

    def lines(self) -> list[str]:
        """The counts as text."""
        calls, expected_failures = Counter[str](), Counter[str]()
        for report in self.reports:
            calls.update(report.calls)
            expected_failures.update(report.expected_failures)
        return [
            f"{self.plan.processes} processes x {self.plan.tasks} tasks, {self.elapsed:.1f} s",
            f"calls: {calls.total()} ({', '.join(f'{name} {n}' for name, n in sorted(calls.items()))})",
            f"cancelled: {sum(report.cancelled for report in self.reports)}",
            f"expected failures: {dict(expected_failures)}",
            f"requests: {self.requests}, of which affected by a fault: {self.faults}",
            f"logins: {self.logins}, refreshes: {self.refreshes}, explained: {self.explained}",
            f"logins without success in a row: {self.logins_without_success}",
            f"without shared tokens: {self.unshared:.1f} s",
            f"restarted clients: {self.restarts.restarts}, the slowest {self.restarts.slowest:.1f} s",
            f"their logins without Redis: {self.restarts.without_store}",
            f"memory growth: {', '.join(f'{report.grown_kib} KiB' for report in self.reports)}",
        ]


async def soak(plan: Plan) -> Result:
    """Run a soak to its end."""
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
                with anyio.fail_after(plan.seconds + _HANGS_AFTER):
                    for worker in workers:
                        assert worker.stdout is not None
                        await worker.stdout.readline()
                    faults = inject_faults(fake)
                    started = loop.time()
                    outages = asyncio.create_task(_outages(plan, redis))
                    restarts = asyncio.create_task(_restarts(plan, redis, outages))
                    answers = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
                    elapsed = loop.time() - started
                    unshared = await outages
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
            keys = await _count_keys(fake, {app for report in reports for app in report.unfinished})
            unshared = _joined(unshared + [times for report in reports for times in report.unshared])
            return _result(
                plan,
                requests,
                faults,
                reports,
                unshared=unshared,
                locks=locks,
                keys=keys,
                restarted=restarted,
                elapsed=elapsed,
            )


async def _start(plan: Plan, fake: FakeDifyServer, redis: RedisServer, number: int) -> Process:
    apps = [app.id for app in fake.apps[number :: plan.processes]]
    job = Job(fake.base_url, fake.email, fake.password, redis.url, apps, plan.seconds, plan.min_calls)
    arguments = [sys.executable, "-m", "tests.soak.worker", msgspec.json.encode(job).decode()]
    return await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE)


async def _outages(plan: Plan, redis: RedisServer) -> list[tuple[float, float]]:
    """The times between which the processes did not share their tokens."""
    unshared = []
    between = (plan.seconds - plan.outages * plan.outage) / (plan.outages + 1)
    for _ in range(plan.outages):
        await anyio.sleep(between)
        killed = time.monotonic()
        await anyio.to_thread.run_sync(redis.kill)
        await anyio.sleep(plan.outage)
        await anyio.to_thread.run_sync(redis.start)
        unshared.append((killed, time.monotonic() + _UNSHARED_AFTER_OUTAGE))
    return unshared


async def _restarts(
    plan: Plan, redis: RedisServer, outages: asyncio.Task[list[tuple[float, float]]]
) -> RestartsReport:
    """Restart clients of another server; after the last outage their password is wrong."""
    job = msgspec.json.encode(RestartsJob(redis.url, plan.seconds)).decode()
    arguments = [sys.executable, "-m", "tests.soak.restarts", job]
    process = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE)
    try:
        await asyncio.wait([outages])
        out, _ = await process.communicate(b"change the password\n")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(out, type=RestartsReport)


def _joined(periods: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same times without overlaps, in order."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(periods):
        if joined and start <= joined[-1][1]:
            start, before = joined.pop()  # noqa: PLW2901 - continues it
            end = max(end, before)  # noqa: PLW2901
        joined.append((start, end))
    return joined


async def _count_keys(fake: FakeDifyServer, unfinished: set[str]) -> int:
    """The number of API keys of the other apps, read with the admin API key: a login would be counted."""
    async with AsyncDifyServer(
        fake.base_url, admin_api_key=_ADMIN_API_KEY, workspace_id=fake.workspace_id
    ) as dify:
        return sum([len(await dify.get_app_api_key(app.id)) for app in fake.apps if app.id not in unfinished])


def _tokens_reused(refreshes: list[RecordedRequest], unshared: list[tuple[float, float]]) -> int:
    """The number of refresh tokens sent again after a refresh, while all processes shared the new ones."""
    spent: set[str] = set()
    times = 0
    for request in refreshes:
        token = request.headers["Cookie"]
        times += token in spent and not any(start <= request.time <= end for start, end in unshared)
        if request.status == 200:
            spent.add(token)
    return times


def _result(
    plan: Plan,
    requests: list[RecordedRequest],
    faults: list[Fault],
    reports: list[Report],
    *,
    unshared: list[tuple[float, float]],
    locks: int,
    keys: int,
    restarted: RestartsReport,
    elapsed: float,
) -> Result:
    sessions = [request for request in requests if request.path in {"/login", "/refresh-token"}]
    refreshes = [request for request in sessions if request.path == "/refresh-token"]
    return Result(
        plan=plan,
        reports=reports,
        requests=len(requests),
        faults=sum(fault.hits for fault in faults),
        session_faults=sum(request.status is None or request.status >= 500 for request in sessions),
        logins=sum(request.path == "/login" for request in sessions),
        refreshes=len(refreshes),
        tokens_reused=_tokens_reused(refreshes, unshared),
        locks_left=locks,
        keys_left=keys,
        restarts=restarted,
        logins_without_success=longest_run_without_success(requests),
        unshared=sum(end - start for start, end in unshared),
        elapsed=elapsed,
    )
