"""The apps that the fake serves."""

from dataclasses import dataclass, field
from typing import TypedDict

from dify_async.testing._console.accounts import make_id

MODES = ("chat", "agent-chat", "advanced-chat", "workflow", "completion")
TALKING = ("chat", "agent-chat", "advanced-chat")  # modes that hold conversations
ALL_MODES = (*MODES, "agent")  # "agent" since 1.15, and only where it is asked for
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
_PACE = (24, 9, 15, 0, 12, 4, 18)  # messages a day


@dataclass(frozen=True)
class FakeTag:
    """A tag of an app. The id follows from the name unless given."""

    name: str
    id: str = ""
    type: str = "app"

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", make_id("tag", self.name))


@dataclass(kw_only=True)
class FakeApp:
    """An app of the fake's workspace.

    Ids and times that are left out are filled in when the server takes the app. Statistics and
    conversations are made up for about `messages_per_day` messages (or workflow runs) on a working
    day; 0 makes an app that nobody uses.
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
    config: dict[str, object] = field(default_factory=dict)  # what was written of it
    configured_at: int = 0

    @property
    def is_published(self) -> bool:
        """Whether its workflow was: an app that nobody uses was not, unless it is published on purpose."""
        return self.has_workflow and bool(self.messages_per_day or self.published_at)

    @property
    def has_workflow(self) -> bool:
        """Whether a graph answers, instead of a model with a prompt."""
        return self.mode in ("workflow", "advanced-chat")


def is_unpublished_agent(app: FakeApp) -> bool:
    """Whether it is an agent without a published version."""
    return app.mode == "agent" and not app.published_at


def workflow_id(app: FakeApp) -> str:
    """The id of the app's published workflow."""
    return make_id(app.id, "workflow")


class AppFields(TypedDict, total=False):
    """What a `FakeApp` has beside its name and mode."""

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
    """So many apps, over all modes, the same in every run."""
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
                messages_per_day=_PACE[number % len(_PACE)],
            )
        )
    return apps
