"""Apps as text, and new settings of theirs."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType


class AppImport(Struct, frozen=True, kw_only=True):
    """What came of an import.

    Attributes:
        status: "completed", "completed-with-warnings", or "pending" until `confirm_import`: the
            definition is of another version of Dify.
        app_id: The app; None while it is pending.
        permission_keys: From Dify 1.15.
    """

    id: str
    status: str
    app_id: str | None = None
    app_mode: str | None = None
    current_dsl_version: str | None = None
    imported_dsl_version: str | None = None
    error: str | None = None
    permission_keys: list[str] | None = None


class AppModelConfig(Struct, kw_only=True, omit_defaults=True):
    """A whole configuration of an app of mode chat, agent-chat or completion, to be written.

    What is not set is reset by the server. `extra` holds what has no field here, by the server's names.
    """

    model: dict[str, object]
    pre_prompt: str | UnsetType = UNSET
    prompt_type: str | UnsetType = UNSET
    opening_statement: str | UnsetType = UNSET
    suggested_questions: list[str] | UnsetType = UNSET
    user_input_form: list[dict[str, object]] | UnsetType = UNSET
    agent_mode: dict[str, object] | UnsetType = UNSET
    dataset_configs: dict[str, object] | UnsetType = UNSET
    file_upload: dict[str, object] | UnsetType = UNSET
    extra: dict[str, object] = {}

    def to_body(self) -> dict[str, object]:
        """The configuration as the server takes it."""
        body: dict[str, object] = msgspec.to_builtins(self)
        extra = body.pop("extra", {})
        assert isinstance(extra, dict)  # noqa: S101 - for the type checker
        return {**extra, **body}
