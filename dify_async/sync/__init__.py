"""The client for synchronous code: scripts, Django views, notebooks.

    from dify_async.sync import DifyServer

    with DifyServer("https://dify.example.com", "ops@example.com", "secret") as dify:
        for app in dify.iter_apps(mode="chat"):
            print(app.name)

`DifyServer` runs an `AsyncDifyServer` on an event loop in a background thread. Each call is submitted to
that loop and waits for its result, which is slower than awaiting it, and concurrent calls need one thread
each. If your code already runs in an event loop, use `AsyncDifyServer`.

Methods, arguments, results and errors are the same. Calls return instead of being awaited, `async with`
becomes `with`, and each list has an `iter_…` method that iterates over all of its pages. Leaving a generator
early leaves nothing open. Create one client per process and use it from any thread. In a service, open it
when the worker process starts, after any fork, and close it when the process ends.
"""

from ._generated import DifyServer
from ._updates import DashboardUpdates

__all__ = ["DashboardUpdates", "DifyServer"]
