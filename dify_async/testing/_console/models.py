"""What the fake stores: accounts, apps, API keys and knowledge bases."""

import secrets
import string
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypedDict
from uuid import NAMESPACE_URL, uuid4, uuid5

MODES = ("chat", "agent-chat", "advanced-chat", "workflow", "completion")
CHAT_MODES = ("chat", "agent-chat", "advanced-chat")  # modes with conversations
ALL_MODES = (*MODES, "agent")  # since 1.15; listed only if the mode is requested
_NAMES = (
    ("Support assistant", "Answers customers' questions about orders.", "\N{ROBOT FACE}"),
    ("Travel agent", "Plans trips with tools.", "\N{AIRPLANE}"),
    ("Contract review", "Reads contracts clause by clause.", "\N{SCALES}"),
    ("Invoice extraction", "", "\N{RECEIPT}"),
    ("Product descriptions", "Writes a text for each product.", "\N{MEMO}"),
    ("\u5ba2\u670d\u52a9\u624b", "\u56de\u7b54\u5e38\u89c1\u95ee\u9898", "\N{SPEECH BALLOON}"),
    ("Onboarding coach", "Shows new colleagues around.", "\N{WAVING HAND SIGN}"),
    ("Release notes", "", "\N{PACKAGE}"),
    ("Weekly report", "Sums the week up.", "\N{BAR CHART}"),
    ("\u00dcbersetzer", "\u00dcbersetzt Vortr\u00e4ge.", "\N{GLOBE WITH MERIDIANS}"),
    ("FAQ", "", "\N{BLACK QUESTION MARK ORNAMENT}"),
)
_MESSAGES_PER_DAY = (24, 9, 15, 0, 12, 4, 18)
_DATASETS = ("Manuals", "Prices", "Opening hours", "Contracts", "Produkt-Handb\u00fccher")
_KEY_LETTERS = string.ascii_letters + string.digits
_DOCUMENT_STATUSES = ("completed", "error", "paused", "indexing")


@lru_cache(maxsize=2**14)  # each row needs several, and pages are read more than once
def make_id(*parts: object) -> str:
    """A UUID that is the same in every run for the same parts."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))


@dataclass(slots=True, kw_only=True)
class FakeAccount:
    """An account that can log in; `timezone` may be None, as in a server's database."""

    id: str
    email: str
    password: str = field(repr=False)
    name: str
    timezone: str | None
    interface_language: str = "en-US"
    interface_theme: str = "light"
    role: str = "owner"
    workspace: bool = True
    banned: bool = False
    pending: bool = False
    workspace_id: str = ""
    created_at: int = field(default_factory=lambda: int(time.time()))
    last_login_at: int = field(default_factory=lambda: int(time.time()))


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """An API key of an app, or of the knowledge bases."""

    type: str
    token: str = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid4()))
    last_used_at: int | None = None
    created_at: int = field(default_factory=lambda: int(time.time()))


def new_key(kind: str) -> ApiKey:
    """A key for an "app", or for the knowledge bases ("dataset")."""
    letters = "".join(secrets.choice(_KEY_LETTERS) for _ in range(24))
    return ApiKey(type=kind, token=f"{kind}-{letters}")


@dataclass(slots=True, kw_only=True)
class FakeDocument:
    """A document; `status` is the server's word."""

    id: str
    status: str
    is_retried: bool = False


@dataclass(slots=True, kw_only=True)
class FakeDataset:
    """A knowledge base."""

    id: str
    name: str
    created_at: int
    documents: list[FakeDocument] = field(default_factory=list)


@dataclass(frozen=True)
class FakeTag:
    """A tag of an app. Without an `id`, it is derived from the name."""

    name: str
    id: str = ""
    type: str = "app"

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", make_id("tag", self.name))


@dataclass(kw_only=True)
class FakeApp:
    """An app in the fake's workspace.

    The server fills in the ids and times that are left out. Statistics and conversations are generated
    for about `messages_per_day` messages (or workflow runs) per working day; 0 makes an unused app.
    """

    name: str
    mode: str
    description: str = ""
    id: str = ""
    tags: list[FakeTag] = field(default_factory=list)
    icon_type: str | None = "emoji"
    icon: str | None = "\N{ROBOT FACE}"
    icon_background: str | None = "#FFEAD5"
    use_icon_as_answer_icon: bool = False
    max_active_requests: int | None = None
    enable_api: bool = True
    enable_site: bool = True
    pre_prompt: str | None = None
    messages_per_day: int = 12
    created_at: int = 0
    updated_at: int = 0
    published_at: int = 0
    marked: tuple[str, str] = ("", "")
    config: dict[str, object] = field(default_factory=dict)  # as sent to model-config
    configured_at: int = 0

    @property
    def is_published(self) -> bool:
        """Whether its workflow is published; an unused app's is not, unless `published_at` is set."""
        return self.has_workflow and bool(self.messages_per_day or self.published_at)

    @property
    def has_workflow(self) -> bool:
        """Whether a workflow answers, rather than a model with a prompt."""
        return self.mode in ("workflow", "advanced-chat")


def is_unpublished_agent(app: FakeApp) -> bool:
    """Whether this is an agent without a published version."""
    return app.mode == "agent" and not app.published_at


def workflow_id(app: FakeApp) -> str:
    """The id of the app's published workflow."""
    return make_id(app.id, "workflow")


class AppFields(TypedDict, total=False):
    """The optional fields of a `FakeApp`."""

    description: str
    id: str
    tags: list[FakeTag]
    icon_type: str | None
    icon: str | None
    icon_background: str | None
    use_icon_as_answer_icon: bool
    max_active_requests: int | None
    enable_api: bool
    enable_site: bool
    pre_prompt: str | None
    messages_per_day: int
    created_at: int
    updated_at: int
    published_at: int
    marked: tuple[str, str]
    config: dict[str, object]
    configured_at: int


def generate_apps(count: int) -> list[FakeApp]:
    """Apps of all modes, the same in every run."""
    tags = [FakeTag("production"), FakeTag("internal")]
    apps = []
    for number in range(count):
        name, description, icon = _NAMES[number % len(_NAMES)]
        round_ = number // len(_NAMES)
        apps.append(
            FakeApp(
                name=f"{name} {round_ + 1}" if round_ else name,
                mode=MODES[number % len(MODES)],
                description=description,
                icon=icon,
                tags=tags[: number % (len(tags) + 1)],
                messages_per_day=_MESSAGES_PER_DAY[number % len(_MESSAGES_PER_DAY)],
            )
        )
    return apps


def generate_datasets(seed: int, now: int) -> list[FakeDataset]:
    """A few knowledge bases with one document per status; the first has no documents."""
    return [
        FakeDataset(
            id=make_id(seed, "dataset", number),
            name=name,
            created_at=now - number * 3600,
            documents=[
                FakeDocument(id=make_id(seed, "document", number, place), status=status)
                for place, status in enumerate(_DOCUMENT_STATUSES if number else ())
            ],
        )
        for number, name in enumerate(_DATASETS)
    ]
