"""A fake of Dify's console API, for tests and demos: in memory, on loopback.

    async with FakeDifyServer(version="1.11.2") as fake:
        ...  # sign in at fake.base_url with fake.email and fake.password

It answers as real servers of that version were seen to answer. `python -m dify_async.testing`
serves it until Ctrl-C.
"""

from dify_async.testing._console.accounts import FakeAccount
from dify_async.testing._console.faults import Fault, RecordedRequest
from dify_async.testing._console.models import FakeApp, FakeTag
from dify_async.testing.server import FakeDifyServer

__all__ = ["FakeAccount", "FakeApp", "FakeDifyServer", "FakeTag", "Fault", "RecordedRequest"]
