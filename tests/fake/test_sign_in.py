"""Login, token refresh and logout."""

import base64
import json
import re
import time
from typing import Any

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import User, fault, release

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


@pytest.mark.parametrize(
    ("version", "missing", "malformed"),
    [
        (
            "0.15.3",
            {
                "code": "invalid_param",
                "message": "Missing required parameter in the JSON body",
                "params": "email",
            },
            {"code": "invalid_param", "message": "nope is not a valid email.", "params": "email"},
        ),
        (
            "1.10.1",  # 01_login_empty_object, 01_login_malformed_email
            {
                "errors": {"email": "Missing required parameter in the JSON body"},
                "message": "Input payload validation failed",
            },
            {"errors": {"email": "nope is not a valid email."}, "message": "Input payload validation failed"},
        ),
        (
            "1.11.2",  # 01_login_missing_email: shows the password, and decoded
            {
                "code": "invalid_param",
                "message": "1 validation error for LoginPayload\nemail\n  Field required [type=missing, "
                "input_value={'password': 'Secret-Pass-42'}, input_type=dict]\n    For further "
                "information visit https://errors.pydantic.dev/2.11/v/missing",
                "status": 400,
            },
            {
                "code": "invalid_param",
                "message": "1 validation error for LoginPayload\nemail\n  Value error, nope is not a valid "
                "email. [type=value_error, input_value='nope', input_type=str]\n    For further information "
                "visit https://errors.pydantic.dev/2.11/v/value_error",
                "status": 400,
            },
        ),
    ],
    indirect=["version"],
)
async def test_bad_fields(user: User, version: str, missing: object, malformed: object) -> None:
    password = user.fake.password
    if version == "1.11.2":
        password = base64.b64encode(password.encode()).decode()
    absent = await user.ask("POST", "/login", headers={}, content={"password": password})
    assert (absent.status, absent.json) == (400, missing)
    assert (await user.log_in("nope")).json == malformed


async def test_a_body_without_json_type(user: User, version: str) -> None:
    # 0.15.3/login__no_content_type, 1.9.1/login__no_content_type, 1.11.2/01_login_no_body_no_type
    answer = await user.ask("POST", "/login", headers={"Content-Type": "text/plain"})
    if version in ("1.9.1", "1.10.1"):
        assert answer.json["errors"] == {"email": "Missing required parameter in the JSON body"}
    elif version == "1.17.0":  # 1.17-pre/01_login_no_body_no_type, 01_login_form_encoded
        assert _fields_required(answer.json) == ["email", "password"]
    else:
        assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")
    wrong = await user.ask("PUT", "/login", headers={})
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")
    assert ("Allow" in wrong.headers) == (version == "0.15.3")


@pytest.mark.parametrize("body", [b'{"email":', b"", b'{"email": "\xff"}', b"[]"])
async def test_a_body_that_is_no_object(user: User, version: str, body: bytes) -> None:
    # 0.15.3/login__bad_json, 1.9.1/login__bad_json, 1.11.2/01_login_invalid_json, 01_login_json_array
    url = f"{user.fake.base_url}/console/api/login"
    async with user.session.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
        answer = await response.json()
    assert response.status == fault(version)
    if version in ("1.9.1", "1.10.1"):
        assert answer["errors"] == {"email": "Missing required parameter in the JSON body"}
    elif version == "1.17.0":
        assert _fields_required(answer) == ["email", "password"]
    elif body != b"[]":
        assert answer["code"] == "bad_request"
    else:
        assert answer["code"] == "invalid_param"
        told = "LoginPayload [type=model_type, input_value=[], input_type=list]"
        assert (told in answer["message"]) == (version != "0.15.3")


def _fields_required(answer: dict[str, Any]) -> list[str]:
    """The fields of a 422, each of which is missing."""
    assert answer.keys() == {"code", "message", "status"}
    assert (answer["code"], answer["status"]) == ("unprocessable_entity", 422)
    entries = json.loads(answer["message"])
    url = "https://errors.pydantic.dev/2.12/v/missing"
    for entry in entries:
        assert entry == {
            "type": "missing",
            "loc": entry["loc"],
            "msg": "Field required",
            "input": {},
            "url": url,
        }
    return [entry["loc"][0] for entry in entries]


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_a_422_shows_the_password(user: User) -> None:
    # 1.17-pre/01_login_missing_email and 01_login_malformed_email: JSON as text
    password = base64.b64encode(user.fake.password.encode()).decode()
    missing = await user.ask("POST", "/login", headers={}, content={"password": password})
    assert missing.status == 422
    (entry,) = json.loads(missing.json["message"])
    assert (entry["type"], entry["loc"]) == ("missing", ["email"])
    assert entry["input"] == {"password": user.fake.password}
    malformed = await user.log_in("nope")
    assert json.loads(malformed.json["message"]) == [
        {
            "type": "value_error",
            "loc": ["email"],
            "msg": "Value error, nope is not a valid email.",
            "input": "nope",
            "ctx": {"error": "nope is not a valid email."},
            "url": "https://errors.pydantic.dev/2.12/v/value_error",
        }
    ]


@pytest.mark.parametrize(("version", "issuer"), [("1.16.1", "SELF_HOSTED"), ("1.17.0", "COMMUNITY")])
async def test_issuer_of_the_access_token(version: str, issuer: str, session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(version) as fake:
        answer = await User(fake, session).log_in()
        assert claims(answer.cookies["access_token"])["iss"] == issuer


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


@pytest.mark.parametrize("version", ["0.15.3"], indirect=True)
async def test_form_of_a_password(user: User) -> None:
    # 0.15.3/login__short_password: not counted
    for _ in range(7):
        answer = await user.log_in(password="x")
        message = "Password must contain letters and numbers, and the length must be greater than 8."
        assert answer.json == {"code": "invalid_param", "message": message, "params": "password"}


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
