"""Setup, features and version of the server."""

from datetime import UTC, datetime
from typing import Any

from dify_async.testing._console.http import Call, HTTPError, Reply, json_reply
from dify_async.testing._console.params import Params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State


def ping(_state: State, _call: Call) -> Reply:
    """GET /ping."""
    return json_reply({"result": "pong"})


def setup(state: State, _call: Call) -> Reply:
    """GET /setup."""
    state.check_database()
    if state.setup_finished:
        moment = datetime.fromtimestamp(state.started_at, UTC).replace(tzinfo=None)
        return json_reply({"step": "finished", "setup_at": moment.isoformat()})
    absent = {"setup_at": None} if state.rules.newest_features else {}
    return json_reply({"step": "not_started", **absent})


def system_features(state: State, _call: Call) -> Reply:
    """GET /system-features: needs no login."""
    rules = state.rules
    features: dict[str, Any] = {
        "sso_enforced_for_signin": False,
        "sso_enforced_for_signin_protocol": "",
        "enable_email_code_login": False,
        "enable_email_password_login": state.password_login,
        "enable_social_oauth_login": False,
        "is_allow_register": False,
        "is_allow_create_workspace": False,
        "is_email_setup": False,
        "license": {"status": "none", "expired_at": ""},
    }
    if not rules.modern_features:
        features |= {
            "sso_enforced_for_web": False,
            "sso_enforced_for_web_protocol": "",
            "enable_web_sso_switch_component": False,
        }
        return json_reply(features)
    features["license"]["workspaces"] = {"enabled": False, "size": 0, "limit": 0}
    features |= {
        "enable_marketplace": False,
        "max_plugin_package_size": 15728640,
        "branding": {
            "enabled": False,
            "application_title": "",
            "login_page_logo": "",
            "workspace_logo": "",
            "favicon": "",
        },
        "webapp_auth": {
            "enabled": False,
            "allow_sso": False,
            "sso_config": {"protocol": ""},
            "allow_email_code_login": False,
            "allow_email_password_login": False,
        },
        "plugin_installation_permission": {
            "plugin_installation_scope": "all",
            "restrict_to_marketplace_only": False,
        },
        "enable_change_email": True,
        "plugin_manager": {"enabled": False},
    }
    if rules.newest_features:
        features |= {
            "enable_app_deploy": False,
            "enable_collaboration_mode": True,
            "enable_creators_platform": True,
            "enable_trial_app": False,
            "enable_explore_banner": False,
            "enable_learn_app": True,
            "rbac_enabled": False,
        }
    if rules.edition_features:
        _apply_edition(features)
    if rules.null_sso_protocol:
        features["sso_enforced_for_signin_protocol"] = None
        features["webapp_auth"]["sso_config"]["protocol"] = None
    return json_reply(features)


def _apply_edition(features: dict[str, Any]) -> None:
    """Apply what 1.16 adds and removes."""
    for name in (
        *("max_plugin_package_size", "is_allow_create_workspace"),
        *("plugin_manager", "enable_trial_app"),
    ):
        del features[name]
    features["license"] = {"status": "none"}
    features["webapp_auth"]["allow_public_access"] = True
    features |= {
        "deployment_edition": "COMMUNITY",
        "enable_step_by_step_tour": False,
        "knowledge_fs_enabled": False,
    }


def version(state: State, call: Call) -> Reply:
    """GET /version: echoes the version in the query, as a server without access to the release list does."""
    arguments = call.arguments()
    if "current_version" not in arguments and state.rules.fastopenapi:
        text = "Validation error for parameter 'query'"
        problem = {"type": "validation_error", "message": text, "status": 422, "details": text}
        raise HTTPError(422, {"error": problem})
    params = Params(state.rules, "VersionQuery", arguments)
    current = params.required("current_version")
    params.check()
    if state.rules.short_version:
        return json_reply({"version": current, "release_notes": ""})
    features = {"can_replace_logo": state.rules.newest_features, "model_load_balancing_enabled": False}
    answer = {"version": current, "release_date": "", "release_notes": "", "can_auto_update": False}
    return json_reply({**answer, "features": features})


def features(state: State, _call: Call) -> Reply:
    """GET /features: the features of the workspace."""
    rules = state.rules
    answer: dict[str, Any] = {
        "billing": {"enabled": False, "subscription": {"plan": "sandbox", "interval": ""}},
        "education": {"enabled": False, "activated": False},
        "members": {"size": 0, "limit": 1},
        "apps": {"size": 0, "limit": 10},
        "knowledge_rate_limit": 10,
        "annotation_quota_limit": {"size": 0, "limit": 10},
        "documents_upload_quota": {"size": 0, "limit": 50},
        "docs_processing": "standard",
        "can_replace_logo": rules.newest_features,
        "model_load_balancing_enabled": False,
        "dataset_operator_enabled": False,
        "webapp_copyright_enabled": False,
        "workspace_members": {"enabled": False, "size": 0, "limit": 0},
        "is_allow_transfer_workspace": True,
        "knowledge_pipeline": {"publish_enabled": False},
    }
    if rules.usage_features:
        answer |= {
            "trigger_event": {"usage": 0, "limit": 3000, "reset_date": 0},
            "api_rate_limit": {"usage": 0, "limit": 5000, "reset_date": 0},
        }
    if rules.newest_features:
        answer |= {"human_input_email_delivery_enabled": True, "next_credit_reset_date": 0}
    else:
        answer["vector_space"] = {"size": 0, "limit": 5}
    return json_reply(answer)


ROUTES: list[Route] = [
    Route("GET", "/ping", ping, public=True, before_setup=True),
    Route("GET", "/setup", setup, public=True, before_setup=True),
    Route("GET", "/system-features", system_features, public=True, before_setup=True),
    Route("GET", "/version", version, public=True, before_setup=True),
    Route("GET", "/features", features),
]
