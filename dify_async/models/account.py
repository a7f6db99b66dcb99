"""The authenticated account, and the settings of the server and the workspace."""

from __future__ import annotations

from .base import DifyModel


class Account(DifyModel, frozen=True, kw_only=True):
    """The authenticated account.

    Attributes:
        interface_language: The language of the console, such as "en-US".
        interface_theme: The theme of the console, such as "light".
        is_password_set: Whether the account has a password.
        timezone: The IANA name of the time zone that defines the days of all statistics. If it is None,
            the server responds to requests for statistics with 500.
        last_login_at: When the account last logged in, in Unix seconds.
        last_login_ip: The IP address of that login.
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
    """The server's login options and settings. Fields that the server's version does not have are None.

    Attributes:
        enable_email_password_login: Whether accounts can log in with a password.
        enable_email_code_login: Whether accounts can log in with an emailed code.
        enable_social_oauth_login: Whether accounts can log in with an account of another provider (OAuth).
        sso_enforced_for_signin: Whether the login page requires single sign-on. The server still accepts
            passwords.
        sso_enforced_for_signin_protocol: The protocol of that single sign-on; "" or None if there is none.
        sso_enforced_for_web: Whether the public pages of apps require single sign-on. Seen only on
            Dify 0.15.
        sso_enforced_for_web_protocol: The protocol of that single sign-on. Seen only on Dify 0.15.
        enable_web_sso_switch_component: Seen only on Dify 0.15.
        is_allow_register: Whether new users can register.
        is_allow_create_workspace: Whether accounts can create workspaces. Up to Dify 1.15.
        is_email_setup: Whether the server can send email.
        license: The licence of an Enterprise server. Its `status` is "none" on other servers.
        branding: The title and the logos that replace those of Dify, if it is `enabled`.
        webapp_auth: How users of the public pages of apps can log in.
        plugin_installation_permission: Which plugins can be installed.
        plugin_manager: Up to Dify 1.15.
        enable_change_email: Whether accounts can change their email address.
        enable_marketplace: Whether plugins can be installed from Dify's marketplace.
        max_plugin_package_size: The maximum size of a plugin, in bytes. Up to Dify 1.15.
        enable_app_deploy: From Dify 1.15.
        enable_collaboration_mode: From Dify 1.15.
        enable_creators_platform: From Dify 1.15.
        enable_trial_app: Seen only on Dify 1.15.
        enable_explore_banner: Whether the Explore page shows a banner. From Dify 1.15.
        enable_learn_app: From Dify 1.15.
        rbac_enabled: Whether access depends on roles with their own permissions. From Dify 1.15.
        deployment_edition: For example "COMMUNITY". From Dify 1.16.
        enable_step_by_step_tour: Whether the console offers a guided tour. From Dify 1.16.
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
    """How much of a resource is in use, and the limit.

    Attributes:
        size: How much is in use.
        limit: The maximum.
        enabled: Whether the limit applies; set only for `workspace_members`.
    """

    size: int | None = None
    limit: int | None = None
    enabled: bool | None = None


class RateQuota(DifyModel, frozen=True, kw_only=True):
    """A usage that is reset regularly, and its limit. From Dify 1.11.

    Attributes:
        usage: How much was used since the last reset.
        limit: The maximum.
        reset_date: The next reset, in Unix seconds; 0 if there is none.
    """

    usage: int | None = None
    limit: int | None = None
    reset_date: int | None = None


class Features(DifyModel, frozen=True, kw_only=True):
    """The workspace's features and quotas. Fields that the server's version does not have are None.

    The quotas apply if billing is enabled. Otherwise the server reports its default limits, and a usage of 0.

    Attributes:
        billing: Whether billing is `enabled`, and the plan of the `subscription`.
        education: Whether the education plan is `enabled` and `activated`.
        members: Members of the workspace.
        apps: Apps of the workspace.
        vector_space: The storage of knowledge bases, in megabytes. None from Dify 1.15.
        knowledge_rate_limit: Requests to knowledge bases per minute.
        annotation_quota_limit: Annotated answers.
        documents_upload_quota: Documents of knowledge bases.
        docs_processing: The priority with which documents are processed, such as "standard".
        can_replace_logo: Whether the workspace can replace Dify's logo.
        model_load_balancing_enabled: Whether the calls of a model can be distributed over several API keys.
        dataset_operator_enabled: Whether members can have the role "dataset_operator".
        webapp_copyright_enabled: Whether the public pages of apps can have a copyright notice.
        workspace_members: The members that the licence of an Enterprise server allows.
        is_allow_transfer_workspace: Whether the workspace can be transferred to another owner.
        trigger_event: Events of triggers.
        api_rate_limit: Calls of the service API.
        knowledge_pipeline: Whether knowledge pipelines can be published (`publish_enabled`).
        human_input_email_delivery_enabled: Whether workflows can ask for human input by email. From
            Dify 1.15.
        next_credit_reset_date: The next reset of the credits, in Unix seconds; 0 if there is none. From
            Dify 1.15.
    """

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
