"""A FastAPI service with one client for its whole life, and one endpoint that asks for all apps at once.

    python examples/fastapi_service.py --port 8000
    curl 'http://127.0.0.1:8000/dashboard?days=7&mode=chat'

Without DIFY_BASE_URL in the environment it serves a fake console to itself; with DIFY_BASE_URL, DIFY_EMAIL
and DIFY_PASSWORD it asks a real one. It listens on loopback, and has no login of its own.
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
    AsyncDifyServer,
    DifyConfigError,
    DifyError,
    DifyValidationError,
)
from dify_async.testing import FakeDifyServer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """One client for all requests: they share its connections, its session, and its limit."""
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer())
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        app.state.dify = await stack.enter_async_context(dify)
        yield


app = FastAPI(title="Dify dashboard", lifespan=lifespan)
# A page elsewhere could give its own name this address, and read along. Add the name that a proxy serves.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])


def get_dify(request: Request) -> AsyncDifyServer:
    dify: AsyncDifyServer = request.app.state.dify
    return dify


@app.get("/dashboard")
async def dashboard(
    dify: Annotated[AsyncDifyServer, Depends(get_dify)],
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    mode: str | None = None,
    *,
    compare: bool = False,
) -> Response:
    """Every app's numbers for the last days, with totals; an app that failed has its errors beside it."""
    found = await dify.dashboard(days=days, mode=mode, compare=compare)
    return Response(found.to_json(), media_type="application/json")


@app.exception_handler(DifyError)
async def failed(_: Request, error: DifyError) -> JSONResponse:
    """What the caller asked wrong is theirs; all else is what stands behind this service."""
    status = 422 if isinstance(error, DifyConfigError | DifyValidationError) else 502
    return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one")
    # After SIGTERM, requests have a second to end.
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, timeout_graceful_shutdown=1)
