"""Everything that the fake knows, and how it answers a call; no sockets here."""

import time
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dify_async._zones import find_zone
from dify_async.testing._console import errors
from dify_async.testing._console import routes as _routes
from dify_async.testing._console.accounts import Accounts, FakeAccount, make_id
from dify_async.testing._console.handlers import sign_in as _sign_in
from dify_async.testing._console.handlers.knowledge import generate_datasets
from dify_async.testing._console.http import Call, Refusal, Reply, Router
from dify_async.testing._console.models import ALL_MODES, TALKING, FakeApp
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.tokens import Tokens
from dify_async.testing._console.traffic import traffic_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dify_async.testing._console.handlers.keys import ApiKey


class Console:
    """One workspace of one server."""

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
        self._apps_taken = 0
        self.workspace_id = make_id(seed, "workspace")
        self.accounts = Accounts(self.rules)
        self.owner = self.add_account(email, password, timezone=timezone)
        issuer = "COMMUNITY" if self.rules.community_issuer else "SELF_HOSTED"
        self.tokens = Tokens(access_token_lifetime, issuer=issuer)
        zone = find_zone(timezone)
        self.today = today or datetime.now(zone).date()
        self.traffic = traffic_of(seed, zone, self.today)
        self.apps: list[FakeApp] = []
        for app in apps:
            self.take(app)
        self.workspaces = {self.workspace_id: f"{self.owner.name}'s Workspace"}
        self.datasets = generate_datasets(seed, self.started_at)
        self.imports: dict[str, dict[str, Any]] = {}
        self.login_codes: dict[str, tuple[str, str]] = {}
        self.keys: dict[str, list[ApiKey]] = {}
        self.statistics: dict[tuple[object, ...], bytes] = {}
        self._router = Router(_routes.ROUTES, self.rules)

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
        """Let somebody sign in."""
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

    def new_id(self, what: str) -> str:
        """An id that there is not yet."""
        self._ids_made += 1
        return make_id(self.seed, what, self._ids_made)

    def take(self, app: FakeApp) -> FakeApp:
        """Serve an app, the newest of all unless it says when it was made."""
        if app.mode not in ALL_MODES:
            raise ValueError(f"Not a mode of Dify's apps: {app.mode!r}.")
        app.id = str(UUID(app.id)) if app.id else make_id(self.seed, "app", self._apps_taken)
        self._apps_taken += 1
        newest = max((other.created_at for other in self.apps), default=self.started_at - 500 * 86400)
        app.created_at = app.created_at or newest + 3600
        app.updated_at = app.updated_at or app.created_at
        self.apps.append(app)
        return app

    def find_app(self, call: Call, only: tuple[str, ...] = ()) -> FakeApp:
        """The app that the path names, if it is of these modes; else a 404."""
        if only == TALKING and self.rules.agent_mode:
            only = (*only, "agent")
        for app in self.apps:
            if app.id == call.ids["app_id"]:
                if only and app.mode not in only:
                    modes = ", ".join(map(repr, only))
                    raise errors.app_not_found(f"App mode is not in the supported list: {{{modes}}}")
                return app
        raise errors.app_not_found()

    def reach_database(self) -> None:
        """What reads or writes rows is a 500 while the database is down."""
        if self.database_down:
            raise errors.internal(self.rules)

    def cookie(self, name: str) -> str:
        """The name of a cookie: with https on both of Dify's URLs it has a prefix."""
        return f"__Host-{name}" if self.https_cookies else name

    def zone(self, account: FakeAccount) -> "ZoneInfo":
        """The account's time zone; without one the server crashes."""
        if account.timezone is None:
            raise errors.internal(self.rules)
        return find_zone(account.timezone)

    def answer(self, call: Call) -> Reply:
        """Answer a call as the server does, errors included."""
        try:
            reply = self._admitted(call)
        except Refusal as refusal:
            reply = self._refused(call, refusal)
        if call.asked_for_token or self.rules.vary_everywhere:
            reply.headers["Vary"] = "Cookie"
        return reply

    def _admitted(self, call: Call) -> Reply:
        route = self._router.find(call)
        call.asked_for_token = not route.public
        if not (self.setup_finished or route.before_setup):
            raise errors.not_setup()
        if not route.public:
            call.account = _sign_in.authenticate(self, call)
            if route.finds_app and self.rules.app_before_csrf:
                route.finds_app(self, call)
            if route.csrf:
                _sign_in.check_csrf(self, call)
        return route.handler(self, call)

    def _refused(self, call: Call, refusal: Refusal) -> Reply:
        body = refusal.body
        if isinstance(body, dict):
            if refusal.status == 401 and self.rules.challenge and "status" in body:
                refusal.headers["WWW-Authenticate"] = 'Bearer realm="api"'
            suggestion = self._router.suggestion(call.path) if refusal.status == 404 else ""
            if suggestion and self.rules.route_suggestions:
                body["message"] = body["message"].rstrip(".") + "." + suggestion
        return refusal.reply()
