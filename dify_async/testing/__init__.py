"""A fake of Dify's console API, for tests and demos: in memory, on loopback.

    async with FakeDifyServer(version="1.11.2") as fake:
        ...  # log in at fake.base_url with fake.email and fake.password

It returns the responses of real servers of that version. `python -m dify_async.testing` serves
it until Ctrl-C.
"""

from dify_async.testing._console.faults import Fault, RecordedRequest
from dify_async.testing._console.models import FakeAccount, FakeApp, FakeTag
from dify_async.testing.server import FakeDifyServer

__all__ = ["FakeAccount", "FakeApp", "FakeDifyServer", "FakeTag", "Fault", "RecordedRequest"]
