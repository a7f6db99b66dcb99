"""The sockets: every request is recorded, may be struck by a fault, and is answered."""

import asyncio
import logging
import ssl as ssl_module
import time
from random import Random

from aiohttp import web

from dify_async.testing._console import errors
from dify_async.testing._console.console import Console
from dify_async.testing._console.faults import (
    Fault,
    RecordedRequest,
    answer_of,
    strikes,
)
from dify_async.testing._console.http import API, Call, Reply

_log = logging.getLogger("dify_async.testing")


class _CountingServer(web.Server):
    """Counts the connections that it accepts."""

    def __init__(self, listener: "Listener", keep_alive: float) -> None:
        super().__init__(listener.handle, keepalive_timeout=keep_alive, access_log=None)
        self._listener = listener

    def __call__(self) -> web.RequestHandler:
        self._listener.connections_opened += 1
        return super().__call__()


class Listener:
    """Serves a console on a port, until it is stopped."""

    def __init__(
        self,
        console: Console,
        *,
        base_path: str,
        latency: float,
        keep_alive: float,
        hide_version: bool,
        ssl: ssl_module.SSLContext | None,
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.faults: list[Fault] = []
        self.peak_requests = 0
        self.connections_opened = 0
        self.base_url = ""
        self._console = console
        self._base_path = base_path
        self._prefix = base_path + API
        self._latency = latency
        self._keep_alive = keep_alive
        self._ssl = ssl
        self._chance = Random(console.seed)  # noqa: S311 - which requests a fault hits
        version = {"X-Version": console.version, "X-Env": "PRODUCTION"}
        self._headers = {} if hide_version else version
        self._under_way: set[asyncio.Task[object]] = set()
        self._bugs: list[Exception] = []
        self._runner: web.ServerRunner

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one."""
        runner = web.ServerRunner(_CountingServer(self, self._keep_alive), shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, ssl_context=self._ssl)
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        name = f"[{host}]" if ":" in host else host
        scheme = "http" if self._ssl is None else "https"
        self.base_url = f"{scheme}://{name}:{site.port}{self._base_path}"
        self._runner = runner

    async def stop(self) -> None:
        """Close everything at once, requests under way included."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._runner.cleanup()

    def raise_bug(self) -> None:
        """A bug of the fake was a 500 on the wire; here it surfaces."""
        bugs, self._bugs = self._bugs, []
        if bugs:
            raise bugs[0]

    def reset(self) -> None:
        """Forget the requests and count afresh."""
        self.requests.clear()
        self.peak_requests = len(self._under_way)
        self.connections_opened = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs each handler in one
        self._under_way.add(task)
        self.peak_requests = max(self.peak_requests, len(self._under_way))
        try:
            return await self._answer(request, await self._record(request))
        finally:
            self._under_way.discard(task)

    async def _record(self, request: web.BaseRequest) -> RecordedRequest:
        record = RecordedRequest(
            method=request.method,
            path=request.path.removeprefix(self._prefix),
            query=request.rel_url.raw_query_string,
            headers=request.headers,
            time=time.monotonic(),
        )
        self.requests.append(record)
        record.body = await request.read()
        return record

    async def _answer(self, request: web.BaseRequest, record: RecordedRequest) -> web.StreamResponse:
        struck = (fault for fault in self.faults if strikes(fault, record, self._chance))
        fault = next(struck, Fault())
        await asyncio.sleep(self._latency + fault.delay)
        if fault.cut == "before":
            return _cut(request)
        reply = answer_of(fault, self._console.rules) or self._reply(request, record)
        if fault.cut == "after":
            return _cut(request)
        response = web.Response(
            status=reply.status, body=reply.body, headers={**self._headers, **reply.headers}
        )
        for cookie in reply.cookies:
            response.headers.add("Set-Cookie", cookie)
        response.headers.update(fault.headers)
        if fault.cut == "body":
            return await _send_half(request, response, reply.body)
        record.status = reply.status
        return response

    def _reply(self, request: web.BaseRequest, record: RecordedRequest) -> Reply:
        inside = request.path.startswith(self._prefix)
        call = Call(
            method=record.method,
            path=record.path if inside else "",
            query=record.query,
            headers=record.headers,
            cookies=_cookies(request),
            body=record.body,
            base_url=self.base_url,
        )
        try:
            return self._console.answer(call)
        except Exception as bug:  # noqa: BLE001 - raised again when the fake is left
            _log.exception("The fake console failed at %s %s", record.method, record.path)
            self._bugs.append(bug)
            return errors.internal(self._console.rules).reply()


def _cookies(request: web.BaseRequest) -> dict[str, str]:
    # The server joins two Cookie headers with a comma, which breaks the token before it.
    header = ",".join(request.headers.getall("Cookie", []))
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value for name, _, value in pairs}


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _send_half(request: web.BaseRequest, response: web.Response, body: bytes) -> web.StreamResponse:
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
