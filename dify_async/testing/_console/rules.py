"""How releases of Dify's server differ: one line per fact."""

import re
from typing import Final

FIRST: Final = (0, 0, 0)
NEVER: Final = (10**6, 0, 0)


def parse_version(text: str) -> tuple[int, int, int]:
    """Parse "1.11.2" or "1.11"; raise ValueError for anything else."""
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(f"Not a Dify version: {text!r}. Give digits, such as 1.11.2.")
    major, minor, patch, *_ = [*map(int, text.split(".")), 0]
    return major, minor, patch


class Fact:
    """True from release `since` on and before release `until`."""

    def __init__(self, *, since: tuple[int, int, int] = FIRST, until: tuple[int, int, int] = NEVER) -> None:
        self._since, self._until = since, until

    def __get__(self, rules: "Rules", owner: type["Rules"]) -> bool:
        return self._since <= rules.version < self._until


class Rules:
    """The facts about one release, such as `Rules("1.11.2").cookies`."""

    def __init__(self, version: str) -> None:
        self.version = parse_version(version)

    # Login
    cookies = Fact(since=(1, 9, 2))  # tokens are cookies, with CSRF; before, JSON and a bearer header
    encoded_password = Fact(since=(1, 11, 2))  # /login expects base64
    case_insensitive_email = Fact(since=(1, 11, 3))  # addresses are compared in lower case
    checks_password_form = Fact(until=(1, 9, 0))  # a short password is rejected before it is compared
    reveals_unknown_account = Fact(until=(1, 9, 0))  # a different error for an unknown address
    wrong_password_is_401 = Fact(since=(1, 8, 0))
    community_issuer = Fact(since=(1, 17, 0))  # of access tokens; before, SELF_HOSTED
    refresh_fault_is_500 = Fact(since=(1, 16, 0))  # before, a 401 with the text of the server's exception
    refresh_names_account = Fact(since=(1, 16, 0))  # "Invalid account"; before, "Invalid refresh token"
    plain_refresh_errors = Fact(since=(1, 16, 0))  # before, "401 Unauthorized: Account is banned."
    code_token_is_uuid = Fact(since=(1, 17, 0))  # the token of a mailed code; otherwise a 422
    admin_key_before_cookies = Fact(since=(1, 17, 0))  # before, a cookie took precedence over the key
    admin_key_needs_csrf = Fact(since=(1, 9, 2), until=(1, 11, 0))  # a bug: no account has that token
    app_before_csrf = Fact(until=(1, 15, 0))  # statistics look up the app between token and CSRF check

    # Errors
    www_authenticate = Fact(since=(1, 8, 0))  # in a 401
    allow_header = Fact(until=(1, 8, 0))  # in a 405
    route_suggestions = Fact(since=(1, 8, 0))  # a 404 ends with "did you mean"
    status_in_500 = Fact(since=(1, 8, 0))
    vary_everywhere = Fact(since=(1, 15, 0))
    lenient_json = Fact(since=(1, 8, 0), until=(1, 11, 0))  # an invalid or absent body reads as {}
    errors_mapping = Fact(since=(1, 8, 0), until=(1, 11, 0))  # {"errors": {field: text}} without a code
    pydantic = Fact(since=(1, 11, 0))  # pydantic's message, over several lines
    pydantic_2_12 = Fact(since=(1, 15, 0))
    fastopenapi = Fact(since=(1, 12, 0))  # /version answers 422 in a different shape
    unprocessable = Fact(since=(1, 17, 0))  # 422 with a JSON list, for the payloads in errors.UNPROCESSABLE
    code_in_key_errors = Fact(until=(1, 8, 0))
    app_key_limit_crashes = Fact(since=(1, 8, 0), until=(1, 8, 1))
    dataset_key_limit_crashes = Fact(since=(1, 8, 0), until=(1, 12, 0))

    # Filters
    reversed_range_is_400 = Fact(since=(1, 10, 0))  # before, start > end gave no rows
    moves_skipped_time_an_hour = Fact(since=(1, 10, 0))  # DST gaps; before, by the size of the gap
    empty_time_is_none = Fact(since=(1, 11, 0))  # before, a 400
    literal_wildcards = Fact(since=(1, 11, 4))  # % and _ in a name are literal
    indexed_tag_ids = Fact(since=(1, 14, 1))  # tag_ids[0]=a&tag_ids[1]=b instead of tag_ids=a,b
    repeated_ids = Fact(since=(1, 16, 0))  # tag_ids=a&tag_ids=b; brackets are ignored
    needs_all_tags = Fact(since=(1, 15, 0))  # several tags are combined with AND
    sorts_apps = Fact(since=(1, 15, 0))  # sort_by; by default the last modified first
    agent_mode = Fact(since=(1, 15, 0))
    few_mode_filters = Fact(until=(1, 1, 3))  # no filters for completion and advanced-chat
    channel_is_all = Fact(since=(1, 4, 0))  # mode=channel: empty on 1.3.1, unfiltered on 1.9.1

    filters_runs = Fact(since=(1, 9, 2))  # the list of runs by status and triggered_from
    checks_icon_type = Fact(since=(1, 15, 0))
    exports_feedback = Fact(since=(1, 10, 1))
    config_updates_app = Fact(since=(1, 10, 0))  # not on 1.9.1, but on 1.11.2; not captured between them
    requires_mode = Fact(since=(1, 17, 0))  # of a new app; before, checked by the handler
    put_requires_all = Fact(until=(1, 11, 0))  # a 500 without description and use_icon_as_answer_icon
    agents_must_be_published = Fact(since=(1, 17, 0))  # for keys, the site and the API
    key_lists_need_role = Fact(since=(1, 17, 0))  # before, every member could read the keys
    own_imports_only = Fact(since=(1, 17, 0))  # only the account that started an import may confirm it
    older_definition_warns = Fact(since=(1, 16, 0))  # and is imported immediately; not captured before
    overwrites_workflows_only = Fact(since=(1, 16, 0))  # an unknown app_id fails as well; not captured before
    import_warnings = Fact(since=(1, 16, 0))
    exports_versions = Fact(since=(1, 9, 0))  # a workflow_id; from Dify's source, not captured before 1.15
    exports_zip = Fact(since=(1, 17, 2))  # a ZIP without format=yaml; from Dify's source, not captured
    snake_case_invalid_role = Fact(since=(1, 16, 0))  # invalid_role; before, invalid-role
    requires_invitees = Fact(since=(1, 16, 0))  # an empty list of addresses is a 400
    annotation_is_201 = Fact(since=(1, 16, 0))
    unknown_dataset_is_404 = Fact(since=(1, 17, 0))  # for indexing-status; before, no rows
    document_ids_are_uuids = Fact(since=(1, 17, 0))  # otherwise a retry crashes
    invitation_has_tenant = Fact(since=(1, 5, 1))  # an invitation returns tenant_id

    # Answers
    posts_workspace = Fact(since=(1, 10, 1))  # POST /workspaces/current instead of GET
    workspace_summary = Fact(since=(1, 17, 0))  # GET /workspaces/current/summary instead of that POST
    patches_profile = Fact(since=(1, 17, 0))  # PATCH /account/profile; POST /account/timezone stays
    minimal_workspace = Fact(since=(1, 16, 0))  # plan and custom_config of the current workspace are null
    workspace_credits = Fact(since=(1, 11, 3))
    workspace_last_opened = Fact(since=(1, 15, 0))
    modern_features = Fact(since=(1, 0, 0))
    usage_features = Fact(since=(1, 11, 0))
    newest_features = Fact(since=(1, 15, 0))
    edition_features = Fact(since=(1, 16, 0))  # deployment_edition and others; fewer fields in the license
    null_sso_protocol = Fact(since=(1, 17, 0))  # before, ""
    short_version = Fact(since=(1, 17, 0))  # /version: version and release_notes
    site_placeholder = Fact(since=(1, 16, 0))
    workflow_number = Fact(since=(1, 17, 0))
    document_error_code = Fact(since=(1, 17, 0))
    app_access = Fact(since=(1, 4, 1))  # access_mode and authors, and tags in the detail
    app_max_requests = Fact(since=(1, 7, 0))  # in the detail; the list always has it
    app_draft_trigger = Fact(since=(1, 10, 0))
    app_permissions = Fact(since=(1, 15, 0))
    description_never_null = Fact(since=(1, 11, 0))
    counts_debug = Fact(until=(1, 9, 0))  # the statistics of messages; those of runs never do
    counts_debug_conversations = Fact(until=(1, 7, 0))
    decimal_text = Fact(since=(0, 15, 0))  # a sum of big integers is a string
    truncates_nodes = Fact(since=(1, 16, 0))  # flags of node executions; not captured before
    null_counts = Fact(since=(1, 10, 0))  # without workflow runs each count is null; before, 0
    null_status_count = Fact(since=(1, 15, 0))  # without workflow runs the whole object is null
    paused_count = Fact(since=(1, 13, 0))
    conversation_model = Fact(since=(1, 15, 0))
