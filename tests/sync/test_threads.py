"""Calls from several threads, interrupts, callbacks, forks, and the end of the process."""

from __future__ import annotations

import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from dify_async import DifyError, DifyUnknownOutcomeError, Event, RequestAnswered, RetryPolicy
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app
from tests.sync.support import sync_client, threads, under_way, wait_until


def test_threads_share_one_loop_one_login_and_the_limiter(fake: FakeDifyServer) -> None:
    fake.inject("/apps", delay=0.02)
    with sync_client(fake, max_concurrency=4) as dify, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: dify.apps(), range(64)))
        assert len(threads()) == 1
    assert all(apps == found[0] for apps in found)
    assert fake.count("POST", "/login") == 1
    assert fake.peak_requests == 4


def test_each_thread_has_its_own_error(fake: FakeDifyServer, dify: DifyServer) -> None:
    dify.profile()
    fake.revoke_all_tokens()
    fake.inject("/login", status=401, body=b'{"code": "authentication_failed", "message": "Invalid."}')
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(dify.profile) for _ in range(8)]
        errors = [call.exception() for call in calls]
    assert all(isinstance(error, DifyError) for error in errors)
    assert len({id(error) for error in errors}) == 8
    assert len({repr(error) for error in errors}) == 1


async def test_calls_work_while_a_loop_runs_in_the_calling_thread(fake: FakeDifyServer) -> None:
    """Notebooks run such a loop."""
    with sync_client(fake) as dify:
        assert len(dify.apps()) == len(list(dify.iter_apps())) == 12
        with dify.stream_dashboard(days=2) as updates:
            assert len(updates.collect().apps) == 12


def test_closing_the_client_ends_calls_of_other_threads(fake: FakeDifyServer) -> None:
    """They end at once: calls in flight, calls that wait for the limiter, and calls that wait for a retry."""
    app = an_app(fake)
    slow = RetryPolicy(base_delay=600, max_delay=600)
    with ThreadPoolExecutor(5) as pool, sync_client(fake, max_concurrency=2, retry=slow) as dify:
        dify.profile()
        fake.inject("/features", status=500)
        fake.inject("/apps/*", delay=60)
        calls: list[Future[Any]] = [pool.submit(dify.features)]
        wait_until(lambda: any(one.path == "/features" and one.status for one in fake.requests))
        calls += [pool.submit(dify.init_app_api_key, app), *(pool.submit(dify.app, app) for _ in range(3))]
        wait_until(lambda: fake.count(path="/apps/*") == len(dify._dify._limiter._waiting) == 2)
    errors = [call.exception(10) for call in calls]
    assert all(isinstance(error, DifyError) for error in errors)
    assert all("closed" in str(error) or isinstance(error, DifyUnknownOutcomeError) for error in errors)


def test_calls_during_closing_succeed_or_raise(fake: FakeDifyServer) -> None:
    dify = sync_client(fake)
    stop = threading.Event()

    def call() -> int:
        answered = 0
        while not stop.is_set():
            try:
                dify.setup_status()
                answered += 1
            except DifyError:
                pass
        return answered

    with ThreadPoolExecutor(4) as pool:
        counts = [pool.submit(call) for _ in range(4)]
        for _ in range(10):
            with dify:
                dify.setup_status()
        stop.set()
        assert all(count.result(10) >= 0 for count in counts)
    assert fake.count() >= 10


@pytest.fixture
def _interrupts() -> Iterator[None]:
    """Python's own SIGINT handler, whichever one is installed, so that SIGINT interrupts waiting."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.siginterrupt(signal.SIGINT, True)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupts")
def test_an_interrupt_ends_the_call(fake: FakeDifyServer, dify: DifyServer) -> None:
    """After Ctrl-C in a notebook, the client is still usable."""
    dify.profile()
    fault = fake.inject("/apps", delay=60)
    before = 0

    def interrupt() -> None:
        wait_until(lambda: fake.count("GET", "/apps") > before)
        # There is no event for when the other thread starts to wait.
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    for call in (dify.apps, lambda: list(dify.iter_apps()), lambda: dify.dashboard(days=1)):
        before = fake.count("GET", "/apps")
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            call()
        thread.join()
        wait_until(lambda: under_way(dify) == 0)
    fault.remove()
    assert len(dify.apps()) == 12


def test_callbacks_cannot_call_the_client(fake: FakeDifyServer) -> None:
    refused: list[str] = []

    def on_event(_: Event) -> None:
        for call in (dify.setup_status, lambda: dify.__exit__(None, None, None)):
            with pytest.raises(DifyError) as error:
                call()
            refused.append(str(error.value))

    with sync_client(fake, on_event=on_event) as dify:
        dify.setup_status()
    assert len(refused) == 4  # for the request and for its answer
    assert all("deadlock" in text for text in refused)


def test_events_see_the_context_of_the_call(fake: FakeDifyServer) -> None:
    """This gives tracing spans their parents."""
    caller = contextvars.ContextVar("caller", default="none")
    seen = []

    def on_event(event: Event) -> None:
        if isinstance(event, RequestAnswered) and event.route == "/setup":
            seen.append(caller.get())

    with sync_client(fake, on_event=on_event) as dify:
        for name in ("one", "two"):
            caller.set(name)
            dify.setup_status()
    assert seen == ["one", "two"]


FORK = """
import os
from anyio.from_thread import start_blocking_portal
from dify_async import DifyError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer

with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDifyServer()) as fake:
    with DifyServer(fake.base_url, fake.email, fake.password) as dify:
        dify.profile()
        child = os.fork()
        if not child:
            try:
                dify.profile()
            except DifyError as error:
                os._exit(7 if "fork" in str(error) else 8)
            os._exit(9)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), dify.profile().email)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork on this platform")
def test_a_call_after_a_fork_raises_and_does_not_hang() -> None:
    # Python warns about a fork in a process with threads, which is what this tests.
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == "7 owner@example.com"


LEFT_OPEN = """
import os, sys
from dify_async.sync import DifyServer

dify = DifyServer(*sys.argv[1:4]).__enter__()
rows = dify.iter_apps(page_size=1)
next(rows)
stream = dify.stream_dashboard(days=1)
next(stream.__enter__())
print(len(dify.apps()), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError", 1),
        ("child = os.fork() or sys.exit(3); sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))", 3),
    ],
)
def test_a_process_can_end_with_an_open_client(fake: FakeDifyServer, end: str, code: int) -> None:
    """For example, a stopped worker or a notebook: the client's thread does not delay or break the exit."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        LEFT_OPEN + end,
        fake.base_url,
        fake.email,
        fake.password,
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (found.returncode, found.stdout.strip()) == (code, "12")
    assert ("ValueError" in found.stderr) == ("ValueError" in end)
    assert found.stderr == "" or "ValueError" in end
