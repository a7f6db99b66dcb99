"""Token refresh and logout."""

import time

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import User, release


@pytest.mark.parametrize("version", ["1.11.2", "1.15.0", "1.16.1", "1.17.0"], indirect=True)
async def test_a_refresh_without_the_database(user: User, version: str) -> None:
    # 11_db_down_refresh, 1.16.1/11_db_up_again_refresh_of_the_same_token
    user.fake.database_down = True
    for answer in (await user.get("/apps"), await user.ask("GET", "/setup", headers={})):
        assert answer.status == 500
    failed = await user.refresh()
    assert failed.status == (500 if release(version) >= (1, 16, 0) else 401)
    assert ("psycopg2" in failed.text) == (failed.status == 401)
    assert (await user.log_in()).status == 500
    assert (await user.get("/system-features")).status == 200
    user.fake.database_down = False
    assert (await user.refresh()).status == 200


@pytest.mark.parametrize(
    ("version", "message"), [("1.15.0", "Invalid refresh token"), ("1.16.1", "Invalid account")]
)
async def test_refresh_of_unknown_account(version: str, message: str, session: aiohttp.ClientSession) -> None:
    # 1.16.1/02_refresh_of_unknown_account
    async with FakeDifyServer(version) as fake:
        issued = fake._state.tokens.issue("00000000-0000-4000-8000-000000000000")
        answer = await User(fake, session).refresh(issued.refresh)
        assert (answer.status, answer.json) == (401, {"result": "fail", "message": message})


async def test_refresh_rotates(user: User) -> None:
    # refresh_token__ok, refresh_token__reused_old, refresh_token__old_access_token_still_valid
    old_token, old_headers = user.refresh_token, user.headers
    assert (await user.refresh()).status == 200
    assert user.refresh_token != old_token
    again = await user.refresh(old_token)
    told = {"message" if user.has_cookies else "data": "Invalid refresh token"}
    assert (again.status, again.json) == (401, {"result": "fail", **told})
    assert "WWW-Authenticate" not in again.headers
    assert (await user.ask("GET", "/account/profile", headers=old_headers)).status == 200


async def test_refresh_without_a_token(user: User) -> None:
    # 1.11.2/02_refresh_missing, 1.9.1/refresh_token__in_cookie_only, __empty_string
    answer = await user.ask("POST", "/refresh-token", headers={}, content={})
    if user.has_cookies:
        assert answer.json == {"result": "fail", "message": "No refresh token provided"}
    else:
        assert answer.status == 400
        assert (await user.refresh("")).json == {"result": "fail", "data": "Invalid refresh token"}


async def test_sign_out_kills_the_newest_refresh_token(user: User) -> None:
    # logout__then_refresh_token_of_an_earlier_login, ..._of_the_latest_login
    first = user.refresh_token
    await user.log_in()
    second = user.refresh_token
    answer = await user.log_out()
    assert answer.json == {"result": "success"}
    assert (await user.get("/account/profile")).status == 200
    assert (await user.refresh(second)).status == 401
    assert (await user.refresh(first)).status == 200
    if user.has_cookies:
        # 1.11.2/02_logout_ok
        assert answer.headers.getall("Set-Cookie")[0] == (
            "access_token=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Path=/; SameSite=Lax"
        )


async def test_method_of_sign_out(user: User) -> None:
    # 1.11.2/02_logout_get_method, 1.9.1/logout__post
    wrong = await user.ask("GET" if user.has_cookies else "POST", "/logout")
    assert wrong.status == 405
    assert (await user.ask("POST" if user.has_cookies else "GET", "/logout", headers={})).status == 401


async def test_tokens_of_one_second_are_the_same(user: User) -> None:
    access, refresh = set(), set()
    started = time.time()
    for _ in range(20):
        answer = await user.refresh()
        access.add(user.cookies["access_token"] if user.has_cookies else answer.json["data"]["access_token"])
        refresh.add(user.refresh_token)
    assert len(access) <= time.time() - started + 2
    assert len(refresh) == 20


async def test_expired_and_revoked_tokens(user: User) -> None:
    # auth__expired_token, auth__bad_signature
    user.fake.expire_access_tokens()
    answer = await user.get("/apps")
    assert answer.json == {"code": "unauthorized", "message": "Token has expired.", "status": 401}
    assert (await user.log_out()).status == 401
    # Perhaps the same text as before: issued again, it is good again.
    assert (await user.refresh()).status == 200
    assert (await user.get("/apps")).status == 200

    user.fake.revoke_refresh_tokens()
    assert (await user.get("/apps")).status == 200
    assert (await user.refresh()).status == 401

    await user.log_in()
    user.fake.revoke_all_tokens()
    assert (await user.get("/apps")).json["message"] == "Invalid token signature."
    assert (await user.refresh()).status == 401
    assert (await user.log_in()).status == 200
    assert (await user.get("/apps")).status == 200


async def test_access_token_lifetime(session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(access_token_lifetime=0) as fake:
        user = User(fake, session)
        await user.log_in()
        assert (await user.get("/apps")).json["message"] == "Token has expired."
