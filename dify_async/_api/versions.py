"""Facts that depend on Dify's version: one row per fact, with the capture or the release that shows it."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from dify_async import _checks

Version = tuple[int, int, int]


def parse_version(text: str) -> Version | None:
    """The numbers of a version; None if the text does not begin with a version."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", text.strip(), re.ASCII)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def checked_version(text: str) -> str:
    """The `server_version` argument, if it can be parsed."""
    if not isinstance(text, str) or parse_version(text) is None:
        raise _checks.refused("server_version", 'a version such as "1.11.2"', text)
    return text


class Fact(Struct, frozen=True):
    """True for servers from release `since` on and before release `until`."""

    since: Version = (0, 0, 0)
    until: Version | None = None

    def __call__(self, version: str) -> bool:
        """Whether it is true for a server; a hidden version counts as the newest."""
        parsed = parse_version(version)
        if parsed is None:
            return self.until is None
        return self.since <= parsed and (self.until is None or parsed < self.until)


# A release without a capture is that of Dify's source.

# Tokens are in the body and sent as `Authorization: Bearer`; later they are cookies [1.9.1/login__ok,
# 1.10.1/01_login_ok_plain_password].
BEARER_TOKENS: Final = Fact(until=(1, 9, 2))
# The password and a mailed code are sent in base64. Before, base64 is just a wrong password
# [1.10.1/01_login_base64_password_rejected, 1.11.2/01_login_plain_password_not_decodable].
ENCODED_PASSWORD: Final = Fact(since=(1, 11, 2))
# A call with an admin API key requires a CSRF token, which such a call cannot have.
ADMIN_KEY_NEEDS_CSRF: Final = Fact(since=(1, 9, 2), until=(1, 11, 0))

# GET /apps has sort_by and creator_ids [1.15.0/04_apps_list_sort_by_earliest_created].
SORTED_APPS: Final = Fact(since=(1, 15, 0))
# One parameter per tag [1.15.0/04_apps_list_tag_ids_bracket_two]; before, one parameter with commas
# [1.11.2/04_apps_list_tag_ids_comma_two].
SEPARATE_TAG_IDS: Final = Fact(since=(1, 14, 1))
# Apps of mode "agent" are in no other list [1.15.0/04_apps_list_mode_all_with_agent_app].
AGENT_APPS: Final = Fact(since=(1, 15, 0))
# PUT /apps/{id} has max_active_requests [1.9.1/app_put__max_active_requests_text].
MAX_ACTIVE_REQUESTS: Final = Fact(since=(1, 7, 0))

# GET /apps/{id}/export has workflow_id [1.15.0/08_app_export_unknown_workflow_id, Dify PR 24939].
EXPORTED_VERSION: Final = Fact(since=(1, 9, 0))

# POST /apps/{id}/workflows/publish has marked_name and marked_comment
# [1.9.1/workflow_publish_post__ok_with_marks].
WORKFLOW_MARKS: Final = Fact(since=(1, 0, 0))
# GET /apps/{id}/workflow-app-logs has created_at__after and created_at__before
# [1.9.1/workflow_app_logs__bad_date], the session id and the account of a user
# [1.10.1/06_workflow_app_logs_account], and `detail` [1.10.1/06_workflow_app_logs_detail_true].
WORKFLOW_LOG_RANGE: Final = Fact(since=(1, 0, 1))
WORKFLOW_LOG_USERS: Final = Fact(since=(1, 5, 0))
WORKFLOW_LOG_DETAILS: Final = Fact(since=(1, 10, 0))
# GET /apps/{id}/workflow-runs has status and triggered_from [1.11.2/06_workflow_runs_triggered_from_app_run].
FILTERED_RUNS: Final = Fact(since=(1, 9, 2))

# The current workspace is a GET [1.9.1/workspaces_current__post], then a POST
# [1.10.1/08_workspace_current_get], then GET /workspaces/current/summary
# [1.17-pre/08_workspace_current_post].
WORKSPACE_BY_POST: Final = Fact(since=(1, 10, 1))
WORKSPACE_SUMMARY: Final = Fact(since=(1, 17, 0))
