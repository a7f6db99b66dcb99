"""A user of the console who writes every header by hand."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from dify_async.testing import FakeDifyServer
from tests.captures import Capture, captures

VERSIONS = ("0.15.3", "1.9.1", "1.10.1", "1.11.2", "1.15.0", "1.16.1", "1.17.0")


def captured(version: str) -> tuple[Capture, ...]:
    """The answers of a real server of this version; of 1.17.0, of main four days before it."""
    return captures("1.17-pre" if version == "1.17.0" else version)


def release(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def fault(version: str) -> int:
    """The status of a fault in what is sent, on the routes that 1.17 has changed."""
    return 422 if release(version) >= (1, 17, 0) else 400


@dataclass
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def cookies(self) -> dict[str, str]:
        """Cookie name to value, in the order received."""
        pairs = (line.partition(";")[0].partition("=")[::2] for line in self.headers.getall("Set-Cookie", []))
        return dict(pairs)


class User:
    def __init__(self, fake: FakeDifyServer, session: aiohttp.ClientSession) -> None:
        self.fake, self.session = fake, session
        self.cookies: dict[str, str] = {}
        self.refresh_token = ""
        self.headers: dict[str, str] = {}

    @property
    def has_cookies(self) -> bool:
        return release(self.fake.version) >= (1, 9, 2)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: object = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request as signed in, or with the headers given; `content` goes as JSON."""
        url = f"{self.fake.base_url}/console/api{path}"
        sent = dict(self.headers if headers is None else headers)
        if content is not None:
            sent["Content-Type"] = "application/json"
        data = None if content is None else json.dumps(content)
        async with self.session.request(method, url, headers=sent, data=data, params=params) as response:
            return Answer(response.status, response.headers, await response.text())

    async def get(self, path: str, **params: str) -> Answer:
        return await self.ask("GET", path, params=params)

    async def log_in(self, email: str | None = None, password: str | None = None) -> Answer:
        """Sign in, with what this version wants for a password."""
        secret = self.fake.password if password is None else password
        if release(self.fake.version) >= (1, 11, 2):
            secret = base64.b64encode(secret.encode()).decode()
        content = {"email": email or self.fake.email, "password": secret}
        answer = await self.ask("POST", "/login", headers={}, content=content)
        if answer.status == 200 and answer.json["result"] == "success":
            self.keep(answer)
        return answer

    async def refresh(self, refresh_token: str | None = None) -> Answer:
        token = self.refresh_token if refresh_token is None else refresh_token
        if self.has_cookies:
            headers = {"Cookie": f"refresh_token={token}"}
            answer = await self.ask("POST", "/refresh-token", headers=headers)
        else:
            content = {"refresh_token": token}
            answer = await self.ask("POST", "/refresh-token", headers={}, content=content)
        if answer.status == 200:
            self.keep(answer)
        return answer

    async def log_out(self) -> Answer:
        return await self.ask("POST" if self.has_cookies else "GET", "/logout")

    def keep(self, answer: Answer) -> None:
        """Take the tokens of an answer."""
        if self.has_cookies:
            self.cookies = answer.cookies
            bare = {name.removeprefix("__Host-"): value for name, value in self.cookies.items()}
            self.refresh_token = bare["refresh_token"]
            self.headers = {"Cookie": cookie_header(self.cookies), "X-CSRF-Token": bare["csrf_token"]}
        else:
            self.refresh_token = answer.json["data"]["refresh_token"]
            self.headers = {"Authorization": f"Bearer {answer.json['data']['access_token']}"}


def cookie_header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
