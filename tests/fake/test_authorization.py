"""What every route but a few asks for: an access token and, with cookies, CSRF."""

from collections.abc import Callable

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN

from .user import User, cookie_header, release

COOKIE_ERA = pytest.mark.parametrize(
    "version", ["1.10.1", "1.11.2", "1.15.0", "1.16.1", "1.17.0"], indirect=True
)
BEARER_ERA = pytest.mark.parametrize("version", ["0.15.3", "1.9.1"], indirect=True)
CSRF = "CSRF token is missing or invalid."
NO_TOKEN = "Invalid Authorization token."


def cookies(access: str = "", csrf: str = "", header: str = "", bearer: str = "") -> dict[str, str]:
    jar = cookie_header({k: v for k, v in {"access_token": access, "csrf_token": csrf}.items() if v})
    headers = {"Cookie": jar, "X-CSRF-Token": header, "Authorization": f"Bearer {bearer}" if bearer else ""}
    return {name: value for name, value in headers.items() if value}


COOKIE_CASES: list[tuple[Callable[[str, str], dict[str, str]], str]] = [
    (lambda a, c: cookies(a, c, c), ""),  # 03_get_cookie_and_csrf_ok
    (lambda a, c: cookies("", c, c, bearer=a), ""),  # 03_get_bearer_with_csrf_header_and_csrf_cookie_ok
    (lambda a, c: cookies(a, c, c, bearer="garbage"), ""),  # 03_get_bearer_garbage_but_good_cookie_ok
    (lambda _, __: {}, NO_TOKEN),
    (cookies, CSRF),  # 03_get_cookies_without_csrf_header
    (lambda a, c: cookies(a, "", c), CSRF),  # 03_get_csrf_header_without_csrf_cookie
    (lambda a, c: cookies(a, c, c[:-1]), CSRF),  # 03_get_csrf_mismatch
    (lambda a, _: cookies(a, "garbage", "garbage"), CSRF),  # 03_get_csrf_garbage_equal
    (lambda a, _: cookies(a, a, a), CSRF),  # another subject, as 03_get_csrf_other_user_equal
    (lambda a, _: cookies(bearer=a), CSRF),  # 03_get_bearer_only
    (lambda a, c: cookies("", "", c, bearer=a), CSRF),  # 03_get_bearer_with_csrf_header_only
    (
        lambda a, c: cookies("garbage", c, c, bearer=a),
        "Invalid token.",
    ),  # 03_get_bearer_good_but_garbage_cookie
    (lambda _, c: cookies(c, c, c), NO_TOKEN),  # 03_get_csrf_token_used_as_access
    (lambda a, c: cookies(a[:-4] + "AAAA", c, c), "Invalid token signature."),  # 03_get_jwt_bad_signature
    (
        lambda a, c: {**cookies("", c, c), "Authorization": a},
        NO_TOKEN,
    ),  # 03_get_authorization_without_scheme
    (lambda _, __: {"Authorization": "Basic dXNlcjpwYXNz"}, NO_TOKEN),  # 03_get_authorization_basic
]


@COOKIE_ERA
async def test_cookies_and_csrf(user: User, subtests: pytest.Subtests) -> None:
    keys = f"/apps/{user.fake.apps[0].id}/api-keys"
    for number, (make, told) in enumerate(COOKIE_CASES):
        headers = make(user.cookies["access_token"], user.cookies["csrf_token"])
        for method, path, status in (
            ("GET", keys, 200),
            ("POST", keys, 201),
            ("DELETE", f"{keys}/{UNKNOWN}", 404),
        ):
            answer = await user.ask(method, path, headers=headers)
            with subtests.test(number=number, told=told, method=method):
                if told:
                    assert answer.json == {"code": "unauthorized", "message": told, "status": 401}
                    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
                else:
                    assert answer.status == status
                assert answer.headers["Vary"] == "Cookie"


@COOKIE_ERA
async def test_two_cookie_headers_break_the_token(user: User) -> None:
    # 03_get_cookies_in_two_headers
    csrf = user.cookies["csrf_token"]
    headers = [("Cookie", f"{name}={value}") for name, value in user.cookies.items()]
    url = f"{user.fake.base_url}/console/api/apps"
    async with user.session.get(url, headers=[*headers, ("X-CSRF-Token", csrf)]) as answer:
        assert (await answer.json())["message"] == "Invalid token signature."


@BEARER_ERA
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda a: {"Authorization": f"bearer {a}"}, ""),  # auth__lower_case_bearer
        (
            lambda a: {"Authorization": f"Bearer {a}", **cookies("x", "y", "z")},
            "",
        ),  # auth__bearer_plus_cookies_and_csrf
        (lambda _: {}, NO_TOKEN),  # auth__no_token
        (lambda a: cookies(a, "x", "x"), NO_TOKEN),  # auth__cookie_only
        (lambda _: {"Authorization": "Bearer garbage"}, "Invalid token."),  # auth__garbage_token
        (lambda _: {"Authorization": "Bearer aaa.bbb.ccc"}, "Invalid token."),  # auth__garbage_jwt
        (lambda a: {"Authorization": a}, "Invalid Authorization header format."),  # auth__no_scheme
        (
            lambda _: {"Authorization": "Bearer "},
            "Invalid Authorization header format.",
        ),  # auth__bearer_empty
    ],
)
async def test_bearer(user: User, version: str, make: Callable[[str], dict[str, str]], told: str) -> None:
    answer = await user.ask("GET", "/apps", headers=make(user.headers["Authorization"].split()[1]))
    assert answer.status == (401 if told else 200)
    assert told in answer.text
    assert ("WWW-Authenticate" in answer.headers) == (bool(told) and version == "1.9.1")


@BEARER_ERA
async def test_token_in_the_query(user: User) -> None:
    # auth__token_in_query
    token = user.headers["Authorization"].split()[1]
    assert (await user.ask("GET", f"/apps?_token={token}", headers={})).status == 200


async def test_a_good_token_of_a_removed_account(user: User) -> None:
    # 0.15.3/auth__unknown_user, 1.11.2/03_get_access_of_unknown_user
    user.fake.add_account("guest@example.com", "Guest-Pass-42")
    await user.log_in("guest@example.com", "Guest-Pass-42")
    assert (await user.get("/apps")).status == 200
    user.fake.remove_account("guest@example.com")
    answer = await user.get("/apps")
    assert (answer.status, answer.json) == (401, {"code": "unauthorized", "message": "Unauthorized."})
    assert "WWW-Authenticate" not in answer.headers
    with pytest.raises(ValueError, match=r"no account guest@example\.com"):
        user.fake.remove_account("guest@example.com")


async def test_404_and_405_come_before_the_token(user: User) -> None:
    # auth__no_token_404_route, 04_app_detail_not_uuid, apps_list__trailing_slash, error__405_no_token
    app_id = user.fake.apps[0].id
    for path in (
        "/nope",
        "/apps/not-a-uuid",
        f"/apps/{app_id.replace('-', '')}",
        "/apps/",
        f"/apps/{app_id}/",
    ):
        answer = await user.ask("GET", path, headers={})
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.text.startswith("<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>")
    answer = await user.ask("DELETE", "/apps", headers={})
    message = "The method is not allowed for the requested URL."
    assert answer.json == {"code": "method_not_allowed", "message": message, "status": 405}


async def test_routes_that_ask_for_nothing(user: User) -> None:
    for path in ("/ping", "/setup", "/system-features", "/version?current_version=1.2.3"):
        assert (await user.ask("GET", path, headers={"Authorization": "Bearer garbage"})).status == 200
    assert (await user.ask("GET", "/features", headers={})).status == 401


@COOKIE_ERA
async def test_statistics_look_for_the_app_before_csrf(user: User, version: str) -> None:
    # 03_statistics_unknown_app_without_csrf_header
    path = f"/apps/{UNKNOWN}/statistics/daily-messages"
    answer = await user.ask("GET", path, headers=cookies(user.cookies["access_token"]))
    assert answer.status == (401 if release(version) >= (1, 15, 0) else 404)
    other = await user.ask("GET", f"/apps/{UNKNOWN}", headers=cookies(user.cookies["access_token"]))
    assert other.status == 401


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.9.1", ""), ("1.10.1", CSRF), ("1.11.2", ""), ("1.15.0", ""), ("1.16.1", ""), ("1.17.0", "")],
)
async def test_admin_key(version: str, told: str, session: aiohttp.ClientSession) -> None:
    # 11_admin_key_*
    async with FakeDifyServer(version, admin_api_key="admin-key") as fake:
        user = User(fake, session)
        key = {"Authorization": "Bearer admin-key"}
        both = {**key, "X-WORKSPACE-ID": fake.workspace_id}
        answer = await user.ask("GET", "/account/profile", headers=both)
        if told:
            assert answer.json["message"] == told
        else:
            assert answer.json["email"] == fake.email
        for headers in (
            key,
            {**key, "X-WORKSPACE-ID": UNKNOWN},
            {**both, "Authorization": "Bearer other"},
        ):
            assert (await user.ask("GET", "/apps", headers=headers)).json["message"] == "Invalid token."
        if user.has_cookies:
            # 11_admin_key_with_garbage_cookie, 11_admin_key_with_session_cookies
            await user.log_in()
            for cookie, csrf in (("access_token=garbage", "Invalid token."), (user.headers["Cookie"], CSRF)):
                answer = await user.ask("GET", "/apps", headers={**both, "Cookie": cookie})
                if version == "1.17.0":
                    assert answer.status == 200
                else:
                    assert answer.json["message"] == csrf
