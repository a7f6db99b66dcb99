"""A FastAPI service that shares one client, with one endpoint for the numbers of all apps.

    python examples/fastapi_service.py --port 8000
    curl 'http://127.0.0.1:8000/dashboard?days=7&mode=chat'

Without DIFY_BASE_URL in the environment it runs against a fake server and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD. It listens on loopback only, since it has no login.
"""

import argparse
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse

from dify_async import (
    AppMode,
    AsyncDifyServer,
    DifyConfigError,
    DifyError,
    DifyValidationError,
)
from dify_async.testing import FakeDifyServer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """One client for all requests, which share its connections, its session and its limits."""
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        app.state.dify = await stack.enter_async_context(dify)
        yield


app = FastAPI(title="Dify dashboard", lifespan=lifespan)
# Protects against DNS rebinding. Behind a proxy, add its host name.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]"])


def get_dify(request: Request) -> AsyncDifyServer:
    dify: AsyncDifyServer = request.app.state.dify
    return dify


@app.get("/dashboard")
async def dashboard(
    dify: Annotated[AsyncDifyServer, Depends(get_dify)],
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    mode: AppMode | None = None,
    *,
    compare: bool = False,
) -> Response:
    """The numbers of every app for the last days, with totals and the errors of each app."""
    found = await dify.dashboard(days=days, mode=mode, compare=compare)
    return Response(found.to_json(), media_type="application/json")


@app.exception_handler(DifyError)
async def failed(_: Request, error: DifyError) -> JSONResponse:
    """Answer 422 if an argument is wrong, and 502 for all other errors."""
    status = 422 if isinstance(error, DifyConfigError | DifyValidationError) else 502
    return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8000, help="0 for a free port")
    # After SIGTERM, requests have one second to finish.
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, timeout_graceful_shutdown=1)
