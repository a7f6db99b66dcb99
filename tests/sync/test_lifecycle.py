"""Opening and closing the client, its arguments and its errors."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyError, DifyNotFoundError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN
from tests.sync.support import sync_client, threads, wait_until


def test_a_call_on_a_closed_client_is_an_error(fake: FakeDifyServer) -> None:
    dify = sync_client(fake)
    for _ in range(2):
        rows, stream = dify.iter_apps().__next__, dify.stream_statistics([UNKNOWN]).__enter__
        for call in (dify.profile, dify.version, dify.login, dify.apps, rows, stream):
            with pytest.raises(DifyError, match=r"not open.*with DifyServer") as refused:
                call()
            assert type(refused.value) is DifyError
        with dify:
            dify.profile()
    assert fake.count("GET", "/account/profile") == 2


def test_entering_an_open_client_is_an_error_and_reopening_works(fake: FakeDifyServer) -> None:
    dify = sync_client(fake)
    dify.__exit__(None, None, None)  # never entered
    for _ in range(3):
        with dify:
            with pytest.raises(DifyError, match="open already"):
                dify.__enter__()
            dify.profile()
        dify.__exit__(None, None, None)
    assert fake.count("POST", "/login") == 1


def test_opening_and_closing_without_a_block(fake: FakeDifyServer) -> None:
    dify = DifyServer(fake.base_url, fake.email, fake.password)
    dify.close()  # a client that was never open
    for _ in range(2):
        assert dify.open() is dify
        with pytest.raises(DifyError, match="open already"):
            dify.open()
        dify.profile()
        for _ in range(2):
            dify.close()
        with pytest.raises(DifyError, match=r"call open\(\) first"):
            dify.profile()
    with dify:
        dify.close()


def test_a_failed_enter_leaves_no_thread(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_REDIS_URL", "not a URL")
    dify = DifyServer(fake.base_url, fake.email, fake.password)
    for _ in range(2):
        with pytest.raises(DifyConfigError, match="DIFY_REDIS_URL"):
            dify.__enter__()
        assert threads() == []


def test_a_session_of_aiohttp_is_no_argument(fake: FakeDifyServer) -> None:
    """It belongs to the event loop that it was created in, which is never that of this client."""
    options: dict[str, Any] = {"base_url": fake.base_url, "email": fake.email, "password": fake.password}
    options["session"] = None
    with pytest.raises(TypeError, match="session"):
        DifyServer(**options)
    with pytest.raises(DifyConfigError, match="from_env has no argument 'session'"):
        DifyServer.from_env(**options)
    assert AsyncDifyServer.from_env(**options).base_url == fake.base_url


def test_an_error_in_the_block_closes_the_client(fake: FakeDifyServer) -> None:
    dify = sync_client(fake)
    with pytest.raises(DifyNotFoundError), dify:
        dify.app(UNKNOWN)
    wait_until(lambda: threads() == [])  # a stopped thread is still listed for a moment
    assert dify._dify._transport._session is None


def test_wrong_arguments_and_the_environment(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DifyConfigError, match="password is missing"):
        DifyServer(fake.base_url, fake.email)
    with pytest.raises(DifyConfigError, match="DIFY_BASE_URL"):
        DifyServer.from_env()
    monkeypatch.setenv("DIFY_BASE_URL", fake.base_url)
    monkeypatch.setenv("DIFY_EMAIL", fake.email)
    with DifyServer.from_env(password=fake.password) as dify:
        assert type(dify) is DifyServer
        assert dify.profile().email == fake.email
    monkeypatch.setenv("DIFY_TIMEOUT", "soon")
    with pytest.raises(DifyConfigError, match="DIFY_TIMEOUT must be"):
        DifyServer.from_env(password=fake.password)


def test_the_repr_has_no_secret(fake: FakeDifyServer, dify: DifyServer) -> None:
    assert repr(dify) == f"DifyServer({fake.base_url!r})"


def test_errors_keep_their_type_and_pickle(dify: DifyServer) -> None:
    with pytest.raises(DifyNotFoundError) as missing:
        dify.app(UNKNOWN)
    again = pickle.loads(pickle.dumps(missing.value))
    assert type(again) is DifyNotFoundError
    assert (again.args, vars(again)) == (missing.value.args, vars(missing.value))
    assert (again.status, again.code) == (404, "app_not_found")
