"""Apps. Lists omit some fields that `app(id)` has; fields that the server's version lacks are None."""

from __future__ import annotations

from typing import ClassVar

from .base import DifyModel, Masked


class CompletionParams(DifyModel, frozen=True, kw_only=True):
    """The model parameters that all providers have; `app_model_config` returns all parameters.

    Attributes:
        stop: Strings at which the model stops.
        temperature: The higher, the more random the answers.
    """

    stop: list[str] | str | None = None
    temperature: float | None = None


class Model(DifyModel, frozen=True, kw_only=True):
    """The language model of an app.

    Attributes:
        provider: For example "langgenius/openai/openai", or "openai" before Dify 1.0.
        name: For example "gpt-4o-mini".
        mode: "chat" or "completion", which is the model's interface, not the app's mode.
        completion_params: The parameters of the model.
    """

    provider: str | None = None
    name: str | None = None
    mode: str | None = None
    completion_params: CompletionParams | None = None


class ModelConfig(DifyModel, frozen=True, kw_only=True):
    """The model configuration of a chat, agent-chat or completion app. Times are Unix seconds.

    Lists of apps have only `model`, `pre_prompt` and the `created_` and `updated_` fields.

    Attributes:
        model: The language model.
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


class WorkflowSummary(DifyModel, frozen=True, kw_only=True):
    """The published workflow of a workflow or advanced-chat app. Times are Unix seconds."""

    id: str
    created_by: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None


class Tag(DifyModel, frozen=True, kw_only=True):
    """A tag of an app or knowledge base.

    Attributes:
        type: "app" or "knowledge".
    """

    id: str
    name: str | None = None
    type: str | None = None


class Site(Masked, frozen=True, kw_only=True):
    """The public web page of an app; the repr hides `access_token` and `code`. Times are Unix seconds.

    Attributes:
        access_token: Equal to `code`.
        code: The end of the page's address, which identifies the app.
        title: The title of the page.
        default_language: The language of the page, such as "en-US".
        chat_color_theme: The color of the chat.
        chat_color_theme_inverted: Whether that color is inverted.
        customize_domain: The custom domain of the page.
        copyright: The copyright notice.
        input_placeholder: The text in the empty input field. From Dify 1.16.
        privacy_policy: The link to the privacy policy.
        custom_disclaimer: The disclaimer.
        prompt_public: Whether users of the page can see the prompt.
        app_base_url: The base URL of public pages, such as "https://dify.example.com".
        show_workflow_steps: Whether the page shows the steps of workflow runs.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "code"})

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


class App(DifyModel, frozen=True, kw_only=True):
    """An app. Times are Unix seconds.

    Attributes:
        mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion"; from Dify 1.15 also "agent".
        description: In lists, the prompt if the app has no description.
        max_active_requests: The maximum number of concurrent requests; None or 0 for no limit.
        icon_url: A signed URL, which differs on each call.
        model_config: None for workflow and advanced-chat apps.
        workflow: The published workflow; None if none was published, and for other modes.
        access_mode: Who may use the public page, on Enterprise servers.
        site: The public page.
        api_base_url: The base URL of the app's service API, such as "https://dify.example.com/v1".
        deleted_tools: Strings up to Dify 0.15, mappings from 1.0.
        has_draft_trigger: Whether the draft of the workflow has a trigger. From Dify 1.10.
        permission_keys: The account's permissions for the app, such as "app.acl.edit". From Dify 1.15.
        bound_agent_id: The agent of an app of mode "agent". From Dify 1.15.
        app_id: From Dify 1.15.
        is_starred: Whether the account starred the app. From Dify 1.15.
        maintainer: The account that maintains the app. From Dify 1.15.
        tracing: From Dify 1.15.
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
