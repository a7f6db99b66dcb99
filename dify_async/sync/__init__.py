"""The client for code that is not asynchronous: scripts, Django views, notebooks.

    from dify_async.sync import DifyServer

    with DifyServer("https://dify.example.com", "ops@example.com", "secret") as dify:
        for app in dify.iter_apps(mode="chat"):
            print(app.name)

It is the second choice. `AsyncDifyServer` does all the work, on a thread that runs an event loop while the
client is open; each call goes over to it and waits, which takes longer than to await, and a thread more for
each call that is to run beside others. Where there is an event loop, use that one.

Methods, arguments, values and errors are the same. What is awaited there is called here, `async for` is
`for` and `async with` is `with`; a generator that is left early leaves nothing open. Make one client for the
whole process and use it from any thread: in a service enter it when the worker process starts, after any
fork, and leave it when that ends.
"""

from ._generated import DifyServer
from ._updates import DashboardUpdates

__all__ = ["DashboardUpdates", "DifyServer"]
