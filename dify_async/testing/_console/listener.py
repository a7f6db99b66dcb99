"""The sockets: requests are recorded, subjected to faults, and answered."""

import asyncio
import logging
import ssl as ssl_module
import time
from random import Random

from aiohttp import web

from dify_async.testing._console import errors
from dify_async.testing._console.dispatch import Dispatcher
from dify_async.testing._console.faults import Fault, RecordedRequest, applies, fault_reply
from dify_async.testing._console.http import API, Call, Reply
from dify_async.testing._console.state import State

_log = logging.getLogger("dify_async.testing")


class _CountingServer(web.Server):
    """Counts accepted connections."""

    def __init__(self, listener: "Listener", keep_alive: float) -> None:
        super().__init__(listener.handle, keepalive_timeout=keep_alive, access_log=None)
        self._listener = listener

    def __call__(self) -> web.RequestHandler:
        self._listener.connections_opened += 1
        return super().__call__()


class Listener:
    """Serves the console on a port until it is stopped."""

    def __init__(
        self,
        state: State,
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
        self._state, self._dispatcher = state, Dispatcher(state)
        self._base_path = base_path
        self._prefix = base_path + API
        self._latency = latency
        self._keep_alive = keep_alive
        self._ssl = ssl
        self._random = Random(state.seed)  # noqa: S311 - for faults with a probability
        version = {"X-Version": state.version, "X-Env": "PRODUCTION"}
        self._headers = {} if hide_version else version
        self._running: set[asyncio.Task[object]] = set()
        self._bugs: list[Exception] = []
        self._runner: web.ServerRunner
        self._is_serving = False

    async def start(self, host: str, port: int) -> None:
        """Listen on a port; 0 for a free one."""
        if self._is_serving:
            raise RuntimeError("The fake server is running already.")
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
        self._is_serving = True

    async def stop(self) -> None:
        """Close all connections immediately, including those with running requests."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._runner.cleanup()
        self._is_serving = False

    def raise_bug(self) -> None:
        """Raise the first bug in the fake, which its client saw as a 500."""
        bugs, self._bugs = self._bugs, []
        if bugs:
            raise bugs[0]

    def reset(self) -> None:
        """Forget the requests and restart the counters."""
        self.requests.clear()
        self.peak_requests = len(self._running)
        self.connections_opened = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs each handler in a task
        self._running.add(task)
        self.peak_requests = max(self.peak_requests, len(self._running))
        try:
            return await self._answer(request, await self._record(request))
        finally:
            self._running.discard(task)

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
        fault = next((fault for fault in self.faults if applies(fault, record, self._random)), Fault())
        await asyncio.sleep(self._latency + fault.delay)
        if fault.cut == "before":
            return _cut(request)
        reply = fault_reply(fault, self._state.rules) or self._reply(request, record)
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
            return self._dispatcher.answer(call)
        except Exception as bug:  # noqa: BLE001 - raised by raise_bug()
            _log.exception("The fake server failed to handle %s %s", record.method, record.path)
            self._bugs.append(bug)
            return errors.internal(self._state.rules).reply()


def _cookies(request: web.BaseRequest) -> dict[str, str]:
    # The server joins two Cookie headers with a comma, which corrupts the token before it.
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
