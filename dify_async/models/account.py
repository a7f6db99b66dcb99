"""The authenticated account, and the settings of the server and the workspace."""

from __future__ import annotations

from .base import DifyModel


class Account(DifyModel, frozen=True, kw_only=True):
    """The authenticated account.

    Attributes:
        timezone: The IANA name of the time zone that defines the days of all statistics. If it is None,
            the server responds to requests for statistics with 500.
        last_login_at: When the account last logged in, in Unix seconds.
        created_at: When the account was created, in Unix seconds.
    """

    id: str
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
    interface_language: str | None = None
    interface_theme: str | None = None
    avatar: str | None = None
    avatar_url: str | None = None
    is_password_set: bool | None = None
    last_login_at: int | None = None
    last_login_ip: str | None = None
    created_at: int | None = None


class SystemFeatures(DifyModel, frozen=True, kw_only=True):
    """The server's sign-in options and settings. Fields that the server's version does not have are None.

    Attributes:
        is_allow_create_workspace: Up to Dify 1.15.
        plugin_manager: Up to Dify 1.15.
        max_plugin_package_size: Up to Dify 1.15.
        enable_trial_app: Up to Dify 1.15.
        deployment_edition: For example "COMMUNITY". From Dify 1.16.
        enable_step_by_step_tour: From Dify 1.16.
        knowledge_fs_enabled: From Dify 1.16.
    """

    enable_email_password_login: bool | None = None
    enable_email_code_login: bool | None = None
    enable_social_oauth_login: bool | None = None
    sso_enforced_for_signin: bool | None = None
    sso_enforced_for_signin_protocol: str | None = None
    sso_enforced_for_web: bool | None = None
    sso_enforced_for_web_protocol: str | None = None
    enable_web_sso_switch_component: bool | None = None
    is_allow_register: bool | None = None
    is_allow_create_workspace: bool | None = None
    is_email_setup: bool | None = None
    license: dict[str, object] | None = None
    branding: dict[str, object] | None = None
    webapp_auth: dict[str, object] | None = None
    plugin_installation_permission: dict[str, object] | None = None
    plugin_manager: dict[str, object] | None = None
    enable_change_email: bool | None = None
    enable_marketplace: bool | None = None
    max_plugin_package_size: int | None = None
    enable_app_deploy: bool | None = None
    enable_collaboration_mode: bool | None = None
    enable_creators_platform: bool | None = None
    enable_trial_app: bool | None = None
    enable_explore_banner: bool | None = None
    enable_learn_app: bool | None = None
    rbac_enabled: bool | None = None
    deployment_edition: str | None = None
    enable_step_by_step_tour: bool | None = None
    knowledge_fs_enabled: bool | None = None


class SetupStatus(DifyModel, frozen=True, kw_only=True):
    """Whether the server has been set up.

    Attributes:
        step: "finished" or "not_started".
        setup_at: When the server was set up: ISO 8601 in the server's local time, without a UTC offset.
    """

    step: str
    setup_at: str | None = None


class Quota(DifyModel, frozen=True, kw_only=True):
    """How much of a resource is in use, and the limit. `enabled` is set only for licensed members."""

    size: int | None = None
    limit: int | None = None
    enabled: bool | None = None


class RateQuota(DifyModel, frozen=True, kw_only=True):
    """The usage and its limit. The usage is reset at `reset_date`, in Unix seconds. From Dify 1.11."""

    usage: int | None = None
    limit: int | None = None
    reset_date: int | None = None


class Features(DifyModel, frozen=True, kw_only=True):
    """The workspace's features and quotas. Fields that the server's version does not have are None."""

    billing: dict[str, object] | None = None
    education: dict[str, object] | None = None
    members: Quota | None = None
    apps: Quota | None = None
    vector_space: Quota | None = None
    knowledge_rate_limit: int | None = None
    annotation_quota_limit: Quota | None = None
    documents_upload_quota: Quota | None = None
    docs_processing: str | None = None
    can_replace_logo: bool | None = None
    model_load_balancing_enabled: bool | None = None
    dataset_operator_enabled: bool | None = None
    webapp_copyright_enabled: bool | None = None
    workspace_members: Quota | None = None
    is_allow_transfer_workspace: bool | None = None
    trigger_event: RateQuota | None = None
    api_rate_limit: RateQuota | None = None
    knowledge_pipeline: dict[str, object] | None = None
    human_input_email_delivery_enabled: bool | None = None
    next_credit_reset_date: int | None = None
