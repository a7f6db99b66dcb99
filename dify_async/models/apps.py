"""Apps. The list gives a part of the fields, `app(id)` more; what a version lacks is None."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from ._base import Masked


class CompletionParams(Struct, frozen=True, kw_only=True):
    """The model's parameters, as far as all providers have them; `app_model_config` gives all of them."""

    stop: list[str] | str | None = None
    temperature: float | None = None


class Model(Struct, frozen=True, kw_only=True):
    """The language model of an app.

    Attributes:
        provider: As "langgenius/openai/openai"; "openai" before Dify 1.0.
        name: As "gpt-4o-mini".
        mode: "chat" or "completion": how the model is called, not the app's mode.
    """

    provider: str | None = None
    name: str | None = None
    mode: str | None = None
    completion_params: CompletionParams | None = None


class ModelConfig(Struct, frozen=True, kw_only=True):
    """How an app of mode chat, agent-chat or completion asks its model.

    The list of apps gives `model`, `pre_prompt` and who made it when; `app(id)` gives all.
    """

    model: Model | None = None
    pre_prompt: str | None = None
    created_by: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None
    opening_statement: str | None = None
    suggested_questions: list[str] | None = None
    suggested_questions_after_answer: dict[str, object] | None = None
    speech_to_text: dict[str, object] | None = None
    text_to_speech: dict[str, object] | None = None
    retriever_resource: dict[str, object] | None = None
    annotation_reply: dict[str, object] | None = None
    more_like_this: dict[str, object] | None = None
    sensitive_word_avoidance: dict[str, object] | None = None
    external_data_tools: list[dict[str, object]] | None = None
    user_input_form: list[dict[str, object]] | None = None
    dataset_query_variable: str | None = None
    agent_mode: dict[str, object] | None = None
    prompt_type: str | None = None
    chat_prompt_config: dict[str, object] | None = None
    completion_prompt_config: dict[str, object] | None = None
    dataset_configs: dict[str, object] | None = None
    file_upload: dict[str, object] | None = None


class WorkflowSummary(Struct, frozen=True, kw_only=True):
    """The published workflow of an app of mode workflow or advanced-chat."""

    id: str
    created_by: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None


class Tag(Struct, frozen=True, kw_only=True):
    """A tag on an app."""

    id: str
    name: str | None = None
    type: str | None = None


class Site(Masked, frozen=True, kw_only=True):
    """The public web page of an app; its repr hides the access token.

    Attributes:
        input_placeholder: From Dify 1.16.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"access_token"})

    access_token: str | None = None
    code: str | None = None
    title: str | None = None
    icon_type: str | None = None
    icon: str | None = None
    icon_background: str | None = None
    icon_url: str | None = None
    description: str | None = None
    default_language: str | None = None
    chat_color_theme: str | None = None
    chat_color_theme_inverted: bool | None = None
    customize_domain: str | None = None
    copyright: str | None = None
    input_placeholder: str | None = None
    privacy_policy: str | None = None
    custom_disclaimer: str | None = None
    customize_token_strategy: str | None = None
    prompt_public: bool | None = None
    app_base_url: str | None = None
    show_workflow_steps: bool | None = None
    use_icon_as_answer_icon: bool | None = None
    created_by: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None


class App(Struct, frozen=True, kw_only=True):
    """An app. Times are unix seconds.

    Attributes:
        mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion"; "agent" from 1.15.
        description: In lists, the prompt stands in where there is no description.
        icon_url: Signed by the server, so another text at each call.
        model_config: None for workflow and advanced-chat.
        workflow: None for other modes, and until one is published.
        deleted_tools: Texts up to 0.15, mappings from 1.0.
        has_draft_trigger: From 1.10.
        permission_keys: From 1.15.
        bound_agent_id: From 1.15.
        app_id: From 1.15.
        is_starred: From 1.15.
        maintainer: From 1.15.
        tracing: From 1.15.
    """

    id: str
    name: str
    mode: str
    max_active_requests: int | None = None
    description: str | None = None
    icon_type: str | None = None
    icon: str | None = None
    icon_background: str | None = None
    icon_url: str | None = None
    model_config: ModelConfig | None = None
    workflow: WorkflowSummary | None = None
    use_icon_as_answer_icon: bool | None = None
    created_by: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None
    tags: list[Tag] | None = None
    access_mode: str | None = None
    create_user_name: str | None = None
    author_name: str | None = None
    has_draft_trigger: bool | None = None
    permission_keys: list[str] | None = None
    bound_agent_id: str | None = None
    app_id: str | None = None
    is_starred: bool | None = None
    maintainer: str | None = None
    # Only in `app(id)`:
    enable_site: bool | None = None
    enable_api: bool | None = None
    site: Site | None = None
    api_base_url: str | None = None
    deleted_tools: list[object] | None = None
    tracing: object = None
