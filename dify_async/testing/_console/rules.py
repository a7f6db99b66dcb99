"""What differs between releases of Dify's server: one line a fact, and nothing else."""

import re
from typing import Final

FIRST: Final = (0, 0, 0)
NEVER: Final = (10**6, 0, 0)


def parse_version(text: str) -> tuple[int, int, int]:
    """Read "1.11.2" or "1.11"; anything else is a ValueError."""
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(f"Not a Dify version: {text!r}. Give digits, such as 1.11.2.")
    major, minor, patch, *_ = [*map(int, text.split(".")), 0]
    return major, minor, patch


class Fact:
    """True for servers from release `since` on, and before release `until`."""

    def __init__(self, *, since: tuple[int, int, int] = FIRST, until: tuple[int, int, int] = NEVER) -> None:
        self._since, self._until = since, until

    def __get__(self, rules: "Rules", owner: type["Rules"]) -> bool:
        return self._since <= rules.version < self._until


class Rules:
    """The facts of one release: `Rules("1.11.2").cookies`."""

    def __init__(self, version: str) -> None:
        self.version = parse_version(version)

    # Sign-in
    cookies = Fact(since=(1, 9, 2))  # tokens are cookies, with CSRF; before, JSON and a bearer header
    encoded_password = Fact(since=(1, 11, 2))  # /login wants base64
    folded_email = Fact(since=(1, 11, 3))  # addresses are compared in lower case
    checked_password_form = Fact(until=(1, 9, 0))  # a short password is refused before it is compared
    told_unknown_account = Fact(until=(1, 9, 0))  # an unknown address is told from a wrong password
    wrong_password_is_401 = Fact(since=(1, 8, 0))
    community_issuer = Fact(since=(1, 17, 0))  # of the access token; before, SELF_HOSTED
    refresh_fault_is_500 = Fact(since=(1, 16, 0))  # before, a 401 with the text of the server's own fault
    refresh_names_account = Fact(since=(1, 16, 0))  # "Invalid account"; before, "Invalid refresh token"
    plain_refresh_errors = Fact(since=(1, 16, 0))  # before, "401 Unauthorized: Account is banned."
    code_token_is_uuid = Fact(since=(1, 17, 0))  # of a mailed code: else a 422
    admin_key_before_cookies = Fact(since=(1, 17, 0))  # before, a cookie shadowed the key
    admin_key_needs_csrf = Fact(since=(1, 9, 2), until=(1, 11, 0))  # a bug: nobody has that token
    app_before_csrf = Fact(until=(1, 15, 0))  # statistics look the app up between token and CSRF

    # Errors
    challenge = Fact(since=(1, 8, 0))  # a 401 carries WWW-Authenticate
    allow_header = Fact(until=(1, 8, 0))  # a 405 carries Allow
    route_suggestions = Fact(since=(1, 8, 0))  # a 404 ends with "did you mean"
    status_in_500 = Fact(since=(1, 8, 0))
    vary_everywhere = Fact(since=(1, 15, 0))
    lenient_json = Fact(since=(1, 8, 0), until=(1, 11, 0))  # a broken or absent body reads as {}
    errors_mapping = Fact(since=(1, 8, 0), until=(1, 11, 0))  # {"errors": {field: text}} without a code
    pydantic = Fact(since=(1, 11, 0))  # pydantic's text, over several lines
    pydantic_2_12 = Fact(since=(1, 15, 0))
    fastopenapi = Fact(since=(1, 12, 0))  # /version answers 422 in a shape of its own
    unprocessable = Fact(since=(1, 17, 0))  # 422 with a JSON list, on the routes of _errors.UNPROCESSABLE
    code_in_key_errors = Fact(until=(1, 8, 0))
    app_key_cap_crashes = Fact(since=(1, 8, 0), until=(1, 8, 1))
    dataset_key_cap_crashes = Fact(since=(1, 8, 0), until=(1, 12, 0))

    # Filters
    backward_range_is_400 = Fact(since=(1, 10, 0))  # before, start > end gave no rows
    moves_by_an_hour = Fact(since=(1, 10, 0))  # what clocks leave out; before, by as much as they do
    empty_time_is_none = Fact(since=(1, 11, 0))  # before, a 400
    literal_wildcards = Fact(since=(1, 11, 4))  # % and _ stand for themselves in a name
    indexed_tag_ids = Fact(since=(1, 14, 1))  # tag_ids[0]=a&tag_ids[1]=b instead of tag_ids=a,b
    repeated_ids = Fact(since=(1, 16, 0))  # tag_ids=a&tag_ids=b; brackets are ignored
    every_tag = Fact(since=(1, 15, 0))  # several tags mean AND
    sorted_apps = Fact(since=(1, 15, 0))  # sort_by, the last modified first unless told
    agent_mode = Fact(since=(1, 15, 0))
    few_modes = Fact(until=(1, 1, 3))  # no filter for completion and advanced-chat
    channel_is_all = Fact(since=(1, 4, 0))  # mode=channel: empty on 1.3.1, unfiltered on 1.9.1

    filtered_runs = Fact(since=(1, 9, 2))  # status filters the list of runs; triggered_from is told
    known_icon_types = Fact(since=(1, 15, 0))
    exports_feedbacks = Fact(since=(1, 10, 1))
    config_changes_app = Fact(since=(1, 10, 0))  # not on 1.9.1, and on 1.11.2; between, nobody looked
    required_mode = Fact(since=(1, 17, 0))  # of a new app; before, a check of the handler's own
    put_needs_all = Fact(until=(1, 11, 0))  # without description and use_icon_as_answer_icon a 500
    agents_must_be_published = Fact(since=(1, 17, 0))  # for keys, the site and the API
    guarded_key_lists = Fact(since=(1, 17, 0))  # before, every member saw the keys
    own_imports_only = Fact(since=(1, 17, 0))  # an import is confirmed by who began it
    older_definition_warns = Fact(since=(1, 16, 0))  # and is imported at once; not captured before
    overwrites_workflows_only = Fact(since=(1, 16, 0))  # an unknown app_id fails as well; not captured before
    import_warnings = Fact(since=(1, 16, 0))
    packaged_export = Fact(since=(1, 17, 2))  # a ZIP without format=yaml; by reading Dify's main of then
    named_invalid_role = Fact(since=(1, 16, 0))  # invalid_role; before, invalid-role
    needs_invited = Fact(since=(1, 16, 0))  # an empty list of addresses is a 400
    annotation_is_201 = Fact(since=(1, 16, 0))
    unknown_dataset_is_404 = Fact(since=(1, 17, 0))  # at indexing-status; before, no rows
    document_ids_are_uuids = Fact(since=(1, 17, 0))  # else a retry crashes
    told_tenant = Fact(since=(1, 5, 1))  # an invitation tells the workspace

    # Answers
    posted_workspace = Fact(since=(1, 10, 1))  # POST /workspaces/current instead of GET
    workspace_summary = Fact(since=(1, 17, 0))  # GET /workspaces/current/summary instead of that POST
    patched_profile = Fact(since=(1, 17, 0))  # PATCH /account/profile; POST /account/timezone stays
    bare_workspace = Fact(since=(1, 16, 0))  # plan and custom_config of the current one are null
    workspace_credits = Fact(since=(1, 11, 3))
    workspace_last_opened = Fact(since=(1, 15, 0))
    modern_features = Fact(since=(1, 0, 0))
    usage_features = Fact(since=(1, 11, 0))
    newest_features = Fact(since=(1, 15, 0))
    edition_features = Fact(since=(1, 16, 0))  # deployment_edition and others, and less of the licence
    null_sso_protocol = Fact(since=(1, 17, 0))  # before, ""
    short_version = Fact(since=(1, 17, 0))  # /version: version and release_notes
    site_placeholder = Fact(since=(1, 16, 0))
    workflow_number = Fact(since=(1, 17, 0))
    document_error_code = Fact(since=(1, 17, 0))
    app_access = Fact(since=(1, 4, 1))  # access_mode and authors, and tags in the detail
    app_max_requests = Fact(since=(1, 7, 0))  # in the detail; the list always had it
    app_draft_trigger = Fact(since=(1, 10, 0))
    app_permissions = Fact(since=(1, 15, 0))
    description_never_null = Fact(since=(1, 11, 0))
    decimal_text = Fact(since=(0, 15, 0))  # a sum of big integers is text
    null_counts = Fact(since=(1, 10, 0))  # without workflow runs each count is null; before, 0
    null_status_count = Fact(since=(1, 15, 0))  # without workflow runs the whole is null
    paused_count = Fact(since=(1, 13, 0))
    conversation_model = Fact(since=(1, 15, 0))
