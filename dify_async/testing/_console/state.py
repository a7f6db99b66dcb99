"""Everything that the fake server knows."""

import threading
import time
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dify_async._zones import find_zone
from dify_async.testing._console import errors
from dify_async.testing._console.accounts import Accounts
from dify_async.testing._console.http import Call
from dify_async.testing._console.models import (
    ALL_MODES,
    CHAT_MODES,
    ApiKey,
    FakeAccount,
    FakeApp,
    generate_datasets,
    make_id,
)
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.tokens import Tokens
from dify_async.testing._console.traffic import shared_traffic

DEFAULT_TIMEZONE = "America/New_York"  # the server's default for a new account


class State:
    """A server of one release, with one account in one workspace at the start."""

    def __init__(
        self,
        version: str,
        *,
        email: str,
        password: str,
        apps: Iterable[FakeApp],
        timezone: str,
        today: date | None,
        access_token_lifetime: float,
        https_cookies: bool,
        admin_api_key: str | None,
        password_login: bool,
        masks_keys: bool,
        seed: int,
    ) -> None:
        self.version = version
        self.lock = threading.RLock()  # a server in a thread answers while a test changes its contents
        self.rules = Rules(version)
        self.seed = seed
        self.access_token_lifetime = access_token_lifetime
        self.https_cookies = https_cookies
        self.admin_api_key = admin_api_key
        self.password_login = password_login
        self.masks_keys = masks_keys
        self.database_down = False
        self.setup_finished = True
        self.started_at = int(time.time())
        self._ids_made = 0
        self._apps_added = 0
        self.workspace_id = make_id(seed, "workspace")
        self.accounts = Accounts(self.rules)
        self.owner = self.add_account(email, password, timezone=timezone)
        issuer = "COMMUNITY" if self.rules.community_issuer else "SELF_HOSTED"
        self.tokens = Tokens(access_token_lifetime, issuer=issuer)
        self.zone = find_zone(timezone)
        self.today = today or datetime.now(self.zone).date()
        self.traffic = shared_traffic(seed, self.zone, self.today)
        self.apps: list[FakeApp] = []
        for app in apps:
            self.add_app(app)
        self.workspaces = {self.workspace_id: f"{self.owner.name}'s Workspace"}
        self.datasets = generate_datasets(seed, self.started_at)
        self.imports: dict[str, dict[str, Any]] = {}  # pending, by id
        self.login_codes: dict[str, tuple[str, str]] = {}  # address and code, by token
        self.keys: dict[str, list[ApiKey]] = {}  # by app id; "" for the knowledge bases
        self.statistics: dict[tuple[object, ...], bytes] = {}  # cached answers
        # Rows that a test has set, by app id and path.
        self.own_statistics: dict[tuple[str, str], dict[date, dict[str, Any]]] = {}

    @property
    def now(self) -> datetime:
        """Noon of the last day, when most time zones have the same date."""
        return datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=self.zone)

    def add_account(
        self,
        email: str,
        password: str,
        *,
        timezone: str | None,
        role: str = "owner",
        workspace: bool = True,
        banned: bool = False,
    ) -> FakeAccount:
        """Add an account, which may log in from now on."""
        if timezone is not None:
            find_zone(timezone)
        return self.accounts.add(
            FakeAccount(
                id=make_id(self.seed, "account", email),
                email=email,
                password=password,
                name=email.partition("@")[0].title(),
                timezone=timezone,
                role=role,
                workspace=workspace,
                banned=banned,
            )
        )

    def new_id(self, kind: str) -> str:
        """An unused id."""
        self._ids_made += 1
        return make_id(self.seed, kind, self._ids_made)

    def add_app(self, app: FakeApp) -> FakeApp:
        """Add an app, as the newest one unless it has a time of creation."""
        if app.mode not in ALL_MODES:
            raise ValueError(f"Not a mode of Dify's apps: {app.mode!r}.")
        app.id = str(UUID(app.id)) if app.id else make_id(self.seed, "app", self._apps_added)
        self._apps_added += 1
        newest = max((other.created_at for other in self.apps), default=self.started_at - 500 * 86400)
        app.created_at = app.created_at or newest + 3600
        app.updated_at = app.updated_at or app.created_at
        self.apps.append(app)
        return app

    def own_app(self, app: FakeApp | str) -> FakeApp:
        """The app of this server that was given as such, or by its id."""
        for one in self.apps:
            if one is app or one.id == app:
                return one
        raise ValueError(
            f"This fake has no app {app!r:.60}; pass its id or one of `apps`, or call add_app()."
        )

    def find_app(self, call: Call, modes: tuple[str, ...] = ()) -> FakeApp:
        """The app named by the path; a 404 if there is none, or if it has none of these modes."""
        if modes == CHAT_MODES and self.rules.agent_mode:
            modes = (*modes, "agent")
        for app in self.apps:
            if app.id == call.ids["app_id"]:
                if modes and app.mode not in modes:
                    supported = ", ".join(map(repr, modes))
                    raise errors.app_not_found(f"App mode is not in the supported list: {{{supported}}}")
                return app
        raise errors.app_not_found()

    def check_database(self) -> None:
        """A 500 while the database is down."""
        if self.database_down:
            raise errors.internal(self.rules)

    def cookie_name(self, name: str) -> str:
        """The name of a cookie, which has a prefix if both of Dify's URLs are https."""
        return f"__Host-{name}" if self.https_cookies else name
