"""Login: passwords, lock-out, and the tokens in the response."""

import base64
import json
import re
from typing import Any

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import User, release

CLAIMS = {"exp", "iss", "sub", "user_id"}


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return content


@pytest.mark.parametrize("version", ["0.15.3", "1.9.1"], indirect=True)
async def test_tokens_come_in_the_body(fake: FakeDifyServer, session: aiohttp.ClientSession) -> None:
    # 1.9.1/login__ok
    answer = await User(fake, session).log_in()
    assert answer.status == 200
    assert set(answer.json["data"]) == {"access_token", "refresh_token"}
    access, refresh = answer.json["data"]["access_token"], answer.json["data"]["refresh_token"]
    assert claims(access).keys() == CLAIMS
    assert (claims(access)["iss"], claims(access)["sub"]) == ("SELF_HOSTED", "Console API Passport")
    assert re.fullmatch("[0-9a-f]{128}", refresh)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("version", ["1.10.1", "1.11.2", "1.15.0"], indirect=True)
async def test_tokens_come_as_cookies(fake: FakeDifyServer, session: aiohttp.ClientSession) -> None:
    # 1.11.2/01_login_ok, and 02_refresh_ok_only_refresh_cookie with another order
    user = User(fake, session)
    answer = await user.log_in()
    assert answer.json == {"result": "success"}
    assert list(answer.cookies) == ["access_token", "refresh_token", "csrf_token"]
    lines = [re.sub("=[^;]*", "", line, count=1) for line in answer.headers.getall("Set-Cookie")]
    expires = r"Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.fullmatch(f"access_token; {expires}; Max-Age=3600; HttpOnly; Path=/; SameSite=Lax", lines[0])
    assert re.fullmatch(
        f"refresh_token; {expires}; Max-Age=2592000; HttpOnly; Path=/; SameSite=Lax", lines[1]
    )
    assert re.fullmatch(f"csrf_token; {expires}; Max-Age=3600; Path=/; SameSite=Lax", lines[2])
    assert claims(answer.cookies["access_token"]).keys() == CLAIMS
    assert claims(answer.cookies["csrf_token"]).keys() == {"exp", "sub"}
    assert list((await user.refresh()).cookies) == ["csrf_token", "access_token", "refresh_token"]


async def test_https_cookies(session: aiohttp.ClientSession) -> None:
    # 1.11.2/11_https_login_ok_host_prefixed_secure_cookies, 11_https_get_plain_cookie_names
    async with FakeDifyServer(https_cookies=True) as fake:
        user = User(fake, session)
        answer = await user.log_in()
        line = answer.headers.getall("Set-Cookie")[0]
        assert line.startswith("__Host-access_token=")
        assert line.endswith("; Max-Age=3600; Secure; HttpOnly; Path=/; SameSite=Lax")
        assert (await user.get("/apps")).status == 200
        plain = {name: value.replace("__Host-", "") for name, value in user.headers.items()}
        refused = await user.ask("GET", "/apps", headers=plain)
        assert refused.json["message"] == "Invalid Authorization token."
        cleared = (await user.log_out()).headers.getall("Set-Cookie")
        assert cleared[2] == (
            "__Host-csrf_token=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Path=/; SameSite=Lax"
        )


async def test_wrong_password_and_unknown_account(user: User, version: str) -> None:
    # 1.9.1/login__wrong_password, 0.15.3/login__wrong_password and login__unknown_account
    wrong = await user.log_in(password="Wrong-Pass-42")
    unknown = await user.log_in("unknown@example.com")
    if release(version) >= (1, 8, 0):
        told = {"code": "authentication_failed", "message": "Invalid email or password.", "status": 401}
        assert wrong.json == unknown.json == told
        assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    else:
        message = "The email or password is mismatched."
        assert wrong.json == {"code": "email_or_password_mismatch", "message": message, "status": 400}
        assert unknown.json == {"code": "account_not_found", "message": "Account not found.", "status": 400}


async def test_lock_out(user: User) -> None:
    # login__lockout_attempt_1..7, login__lockout_right_password
    assert {(await user.log_in(password="Wrong-Pass-42")).status for _ in range(6)} <= {400, 401}
    for password in ("Wrong-Pass-42", user.fake.password):
        answer = await user.log_in(password=password)
        message = "Too many incorrect password attempts. Please try again later."
        assert answer.json == {"code": "email_code_login_limit", "message": message, "status": 429}
        assert "Retry-After" not in answer.headers
    user.fake.unlock()
    assert (await user.log_in()).status == 200


async def test_a_right_password_clears_the_count(user: User) -> None:
    # 1.9.1/login__after_5_failures_right_password_ok
    for _ in range(2):
        for _ in range(5):
            await user.log_in(password="Wrong-Pass-42")
        assert (await user.log_in()).status == 200


@pytest.mark.parametrize(("version", "status"), [("1.11.2", 401), ("1.15.0", 200)], indirect=["version"])
async def test_case_of_the_address(user: User, status: int) -> None:
    # 01_login_ok_email_uppercase
    assert (await user.log_in("Owner@Example.com")).status == status


@pytest.mark.parametrize("version", ["1.11.2", "1.15.0"], indirect=True)
async def test_a_plain_password_is_not_counted(user: User) -> None:
    # 01_login_plain_password_not_decodable, 01_login_ok_after_eight_undecodable
    content = {"email": user.fake.email, "password": user.fake.password}
    for _ in range(8):
        answer = await user.ask("POST", "/login", headers={}, content=content)
        assert answer.json == {
            "code": "authentication_failed",
            "message": "Invalid encrypted data",
            "status": 401,
        }
    assert (await user.log_in()).status == 200


@pytest.mark.parametrize("version", ["0.15.3", "1.9.1", "1.10.1"], indirect=True)
async def test_base64_is_a_wrong_password_before_1_11_2(user: User) -> None:
    # 1.10.1/01_login_base64_password_rejected
    encoded = base64.b64encode(user.fake.password.encode()).decode()
    assert (await user.log_in(password=encoded)).json["code"] != "email_code_login_limit"
    for _ in range(5):
        await user.log_in(password=encoded)
    assert (await user.log_in()).status == 429


@pytest.mark.parametrize(("version", "issuer"), [("1.16.1", "SELF_HOSTED"), ("1.17.0", "COMMUNITY")])
async def test_issuer_of_the_access_token(version: str, issuer: str, session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(version) as fake:
        answer = await User(fake, session).log_in()
        assert claims(answer.cookies["access_token"])["iss"] == issuer


async def test_an_address_is_taken_once(fake: FakeDifyServer) -> None:
    with pytest.raises(ValueError, match="owner@example"):
        fake.add_account(fake.email, "Other-Pass-42")


async def test_a_200_that_is_a_refusal(user: User) -> None:
    # login__account_without_workspace
    user.fake.add_account("guest@example.com", "Guest-Pass-42", workspace=False)
    answer = await user.log_in("guest@example.com", "Guest-Pass-42")
    assert answer.status == 200
    assert answer.json["result"] == "fail"
    assert answer.json["data"].startswith("workspace not found")
    assert "Set-Cookie" not in answer.headers


async def test_a_banned_account(user: User, version: str) -> None:
    # login__banned_account, auth__banned_account, refresh_token__banned_account
    account = user.fake.add_account("guest@example.com", "Guest-Pass-42")
    await user.log_in("guest@example.com", "Guest-Pass-42")
    account.banned = True
    answer = await user.log_in("guest@example.com", "Guest-Pass-42")
    assert answer.json == {"code": "account_banned", "message": "Account is banned.", "status": 400}
    assert (await user.get("/apps")).json["message"] == "Account is banned."
    # 1.16.1/02_refresh_of_banned_account
    prefix = "" if release(version) >= (1, 16, 0) else "401 Unauthorized: "
    told = {"message" if user.has_cookies else "data": f"{prefix}Account is banned."}
    assert (await user.refresh()).json == {"result": "fail", **told}


async def test_no_password_login(version: str, session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(version, password_login=False) as fake:
        user = User(fake, session)
        answer = await user.log_in()
        assert (answer.status, answer.json["code"]) == (403, "forbidden")
        features = await user.get("/system-features")
        assert features.json["enable_email_password_login"] is False


async def test_not_set_up(user: User, version: str) -> None:
    # 0.15.3/login__before_setup, 1.15.0/00_apps_before_setup, 00_setup_get_not_started
    user.fake.setup_finished = False
    for answer in (await user.log_in(), await user.get("/apps"), await user.refresh()):
        assert (answer.status, answer.json["code"]) == (401, "not_setup")
    assert (await user.get("/system-features")).status == 200
    assert (await user.get("/ping")).json == {"result": "pong"}
    absent = {"setup_at": None} if release(version) >= (1, 15, 0) else {}
    assert (await user.get("/setup")).json == {"step": "not_started", **absent}
    user.fake.setup_finished = True
    assert (await user.get("/setup")).json["step"] == "finished"
