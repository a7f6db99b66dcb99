"""`dify-async demo`: the fake server."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from dify_async.testing.__main__ import serve

from .console import OK, UsageError
from .serving import Port, cannot_listen


def demo(
    *,
    port: Port = 0,
    version: str = "1.11.2",
    apps: Annotated[int, Parameter(validator=Number(gte=0))] = 12,
    latency: Annotated[float, Parameter(validator=Number(gte=0))] = 0.0,
    seed: int = 0,
) -> int:
    """Serve a fake server with generated apps until Ctrl-C, and print its URL and account.

    Args:
        port: The port; 0 for a free one.
        version: The version of Dify to imitate.
        apps: The number of apps.
        latency: Seconds before each response.
        seed: Another seed gives other ids and numbers.
    """
    try:
        serve(version, port=port, apps=apps, latency=latency, seed=seed)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise cannot_listen("127.0.0.1", port, error) from None
    return OK
