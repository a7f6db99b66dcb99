"""The fake server that commands use, and that `python -m dify_async.testing` serves."""

from dify_async.testing._console.models import new_key
from dify_async.testing.server import FakeDifyServer

_MONTH = 30 * 24 * 3600


class DemoServer(FakeDifyServer):
    """A fake server whose apps with traffic have API keys: one in use, and some also an old one."""

    def __init__(
        self, version: str = "1.11.2", *, port: int = 0, apps: int = 12, latency: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(version, port=port, apps=apps, latency=latency, seed=seed)
        for place, app in enumerate(app for app in self.apps if app.messages_per_day):
            keys = self._state.keys[app.id] = [new_key("app") for _ in range(2 if place % 3 == 0 else 1)]
            for months, key in enumerate(keys):
                key.created_at = app.created_at + months * _MONTH
            keys[-1].last_used_at = self._state.started_at
