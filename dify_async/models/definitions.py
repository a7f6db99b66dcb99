"""Results of app imports, and model configurations that can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from msgspec import UNSET, Struct, UnsetType

from .base import DifyModel
from .serialization import Serializable

if TYPE_CHECKING:
    from collections.abc import Mapping

_JsonObject = dict[str, object]


class AppImport(DifyModel, frozen=True, kw_only=True):
    """The result of an import.

    Attributes:
        status: "completed"; "completed-with-warnings" if the definition's format is older than the
            server's; "pending" if it is newer, until you call `confirm_import`.
        app_id: The id of the app; None while the import is pending.
        app_mode: The mode of the app.
        current_dsl_version: The version of the server's format (DSL): 0.6.0 in Dify 1.15, 0.7.0 from 1.16.
        imported_dsl_version: The version of the definition's format.
        error: Why the import failed.
        permission_keys: The account's permissions for the app, such as "app.acl.edit". From Dify 1.15.
        warnings: What was not restored. Each entry has code, path, message and details. Empty if the older
            format is the only reason for a warning. From Dify 1.16.
    """

    id: str
    status: str
    app_id: str | None = None
    app_mode: str | None = None
    current_dsl_version: str | None = None
    imported_dsl_version: str | None = None
    error: str | None = None
    permission_keys: list[str] | None = None
    warnings: list[dict[str, object]] | None = None


class AppModelConfig(Serializable, Struct, kw_only=True, omit_defaults=True):
    """A complete, writable model configuration of a chat, agent-chat or completion app.

    The server resets fields that are not set, so start with the result of `app_model_config`.

    Attributes:
        model: The language model: its provider, name, mode and completion_params, which are all required.
        extra: Fields for which this class has no attribute, by their names on the server.
    """

    model: _JsonObject
    pre_prompt: str | UnsetType | None = UNSET
    prompt_type: str | UnsetType | None = UNSET
    chat_prompt_config: _JsonObject | UnsetType | None = UNSET
    completion_prompt_config: _JsonObject | UnsetType | None = UNSET
    user_input_form: list[_JsonObject] | UnsetType | None = UNSET
    dataset_query_variable: str | UnsetType | None = UNSET
    opening_statement: str | UnsetType | None = UNSET
    suggested_questions: list[str] | UnsetType | None = UNSET
    suggested_questions_after_answer: _JsonObject | UnsetType | None = UNSET
    more_like_this: _JsonObject | UnsetType | None = UNSET
    speech_to_text: _JsonObject | UnsetType | None = UNSET
    text_to_speech: _JsonObject | UnsetType | None = UNSET
    retriever_resource: _JsonObject | UnsetType | None = UNSET
    sensitive_word_avoidance: _JsonObject | UnsetType | None = UNSET
    annotation_reply: _JsonObject | UnsetType | None = UNSET
    external_data_tools: list[_JsonObject] | UnsetType | None = UNSET
    agent_mode: _JsonObject | UnsetType | None = UNSET
    dataset_configs: _JsonObject | UnsetType | None = UNSET
    file_upload: _JsonObject | UnsetType | None = UNSET
    extra: _JsonObject = {}

    @classmethod
    def of(cls, config: Mapping[str, object]) -> Self:
        """Create from a configuration that the server returned, without its read-only authors and times."""
        extra = {name: value for name, value in config.items() if name not in _READ_ONLY}
        # Not validated, so that values in a newer server's format are written back unchanged.
        fields: dict[str, Any] = {name: extra.pop(name) for name in cls.__struct_fields__ if name in extra}
        return cls(**{"model": {}, **fields, "extra": extra})

    def to_dict(self) -> dict[str, object]:
        """The configuration as plain Python values by their names on the server, without unset fields."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "extra"}
        return {**self.extra, **{name: value for name, value in fields.items() if value is not UNSET}}


_READ_ONLY = frozenset({"created_by", "created_at", "updated_by", "updated_at"})


class Configured(Struct, frozen=True):
    """An app, of which only the model configuration is read."""

    model_config: _JsonObject | None = None
