"""Apps are created, changed, copied, deleted, exported and imported, on each version of the server."""

from __future__ import annotations

import json

import pytest

from dify_async import (
    App,
    AppModelConfig,
    AsyncDifyServer,
    DifyConfigError,
    DifyNotFoundError,
    DifyServerError,
    DifyValidationError,
)
from dify_async.testing import FakeDifyServer
from tests.support import MODES, UNKNOWN, VERSIONS, an_app

pytestmark = pytest.mark.parametrize("version", VERSIONS)


async def test_a_new_app(dify: AsyncDifyServer) -> None:
    for mode in MODES:
        app = await dify.create_app("Nové 中", mode, description="d", icon_type="emoji", icon="🍇")
        assert (app.name, app.mode, app.description, app.icon) == ("Nové 中", mode, "d", "🍇")
        whole = await dify.app(app.id)
        assert (whole.name, whole.icon_type, whole.created_at) == (app.name, "emoji", app.created_at)
        assert app.id in {one.id for one in await dify.apps()}
        await dify.delete_app(app.id)
        with pytest.raises(DifyNotFoundError):
            await dify.app(app.id)
        with pytest.raises(DifyNotFoundError):
            await dify.delete_app(app.id)


async def test_invalid_fields_of_a_new_app(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match=r"^mode must be one of chat, agent-chat, .*, got 'chatbot'"):
        await dify.create_app("x", "chatbot")  # type: ignore[arg-type]
    with pytest.raises(DifyValidationError, match=r"not a valid choice|mode: must be one of"):
        await dify.create_app("x", "agent")
    with pytest.raises(DifyValidationError, match="400 characters"):
        await dify.create_app("x", "chat", description="d" * 401)
    with pytest.raises(DifyServerError):  # a fault of the server
        await dify.create_app("x" * 256, "chat")


async def test_a_field_that_is_not_given_stays_as_it_was(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """PUT replaces all fields [1.11.2/08_app_put_only_name_resets_the_rest]."""
    new = await dify.create_app(
        "a", "chat", description="d", icon_type="emoji", icon="🍇", icon_background="#D1E0FF"
    )
    before = await dify.app(new.id)
    await dify.update_app(before.id, use_icon_as_answer_icon=True)
    after = await dify.update_app(before.id, name="b")
    assert _settings(after) == {**_settings(before), "name": "b", "use_icon_as_answer_icon": True}
    after = await dify.update_app(before.id, description="", icon_background=None)
    assert after.description == ""
    assert not after.icon_background
    assert (after.name, after.icon) == ("b", "🍇")
    sent = json.loads([request for request in fake.requests if request.method == "PUT"][-1].body)
    assert {"name", "description", "use_icon_as_answer_icon"} <= sent.keys()
    with pytest.raises(DifyConfigError, match="at least one field"):
        await dify.update_app(before.id)
    with pytest.raises(DifyNotFoundError):
        await dify.update_app(UNKNOWN, name="b")


def _settings(app: App) -> dict[str, object]:
    names = ("name", "mode", "description", "icon_type", "icon", "icon_background", "use_icon_as_answer_icon")
    return {name: getattr(app, name) for name in names}


async def test_a_copy(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = fake.apps[0]
    first = await dify.copy_app(app.id)
    second = await dify.copy_app(app.id, name="Copy of bot", icon="🤖")
    assert (first.name, second.name, second.icon) == (app.name, "Copy of bot", "🤖")
    assert len({app.id, first.id, second.id}) == 3
    assert first.mode == app.mode


async def test_switching_the_api_and_the_site(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    assert (await dify.enable_app_api(app, False)).enable_api is False
    assert (await dify.enable_app_site(app, False)).enable_site is False
    assert (await dify.enable_app_api(app, True)).enable_api is True
    assert (await dify.app(app)).enable_site is False


async def test_a_model_config(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    model: dict[str, object] = {
        "provider": "openai",
        "name": "gpt-4o",
        "mode": "chat",
        "completion_params": {},
    }
    config = AppModelConfig(model=model, pre_prompt="Be brief.", extra={"speech_to_text": {"enabled": False}})
    await dify.update_app_model_config(an_app(fake), config)
    sent = json.loads(fake.requests[-1].body)
    assert sent == {"model": model, "pre_prompt": "Be brief.", "speech_to_text": {"enabled": False}}
    app = await dify.app(an_app(fake))
    assert app.model_config is not None
    assert app.model_config.pre_prompt == "Be brief."
    with pytest.raises(DifyValidationError, match="model is required"):
        await dify.update_app_model_config(an_app(fake), AppModelConfig(model={}))
    with pytest.raises(DifyNotFoundError):
        await dify.update_app_model_config(an_app(fake, "workflow"), config)


async def test_a_model_config_is_read_changed_and_written_whole(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    app = an_app(fake)
    before = await dify.request("GET", f"/apps/{app}")
    config = await dify.app_model_config(app)
    assert config is not None
    assert config.model["completion_params"] == before["model_config"]["model"]["completion_params"]
    config.pre_prompt = "Be brief."
    config.opening_statement = "Hello."
    config.model["completion_params"] = {"temperature": 0.1, "top_p": 0.9}
    await dify.update_app_model_config(app, config)
    after = await dify.request("GET", f"/apps/{app}")
    told = {"created_by", "created_at", "updated_by", "updated_at"}
    sent = json.loads(fake.requests[-2].body)
    changed = {"pre_prompt": "Be brief.", "opening_statement": "Hello.", "model": config.model}
    whole = {name: value for name, value in before["model_config"].items() if name not in told}
    assert sent == whole | changed
    assert after["model_config"].items() >= sent.items()
    assert await dify.app_model_config(app) == config
    assert await dify.app_model_config(an_app(fake, "workflow")) is None


async def test_a_definition_goes_out_and_comes_in(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    # From 1.16 only an app with a workflow can be overwritten [1.16.1/08_app_import_overwrite_other_mode].
    app = next(app for app in fake.apps if app.mode == "workflow")
    text = await dify.export_app(app.id)
    assert f"mode: {app.mode}" in text
    assert fake.requests[-1].query == "format=yaml&include_secret=false"
    new = await dify.import_app(text, name="It's a copy")
    assert (new.status, new.app_mode) == ("completed", app.mode)
    assert new.app_id is not None
    assert (await dify.app(new.app_id)).name == "It's a copy"
    again = await dify.import_app(await dify.export_app(new.app_id), app_id=app.id)
    assert again.app_id == app.id
    assert (await dify.app(app.id)).name == "It's a copy"


async def test_a_definition_of_another_version_is_to_be_confirmed(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """1.11.2/08_app_import_old_dsl_version: a 202."""
    text = (await dify.export_app(fake.apps[0].id)).replace("version: ", "version: 9")
    before = len(fake.apps)
    pending = await dify.import_app(text)
    assert (pending.status, pending.app_id) == ("pending", None)
    assert len(fake.apps) == before
    done = await dify.confirm_import(pending.id)
    assert done.status == "completed"
    assert len(fake.apps) == before + 1
    with pytest.raises(DifyValidationError, match="expired or does not exist"):
        await dify.confirm_import(pending.id)


async def test_a_definition_that_cannot_be_read(dify: AsyncDifyServer) -> None:
    """1.11.2/08_app_import_bad_yaml: a 400 in the shape of an import."""
    with pytest.raises(DifyValidationError, match="Invalid YAML format"):
        await dify.import_app("foo: [bar")


async def test_values_of_another_type(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = fake.apps[0].id
    for call in (dify.enable_app_api, dify.enable_app_site):
        with pytest.raises(DifyConfigError, match="True or False"):
            await call(app, "false")  # type: ignore[arg-type]  # the server reads any text as true
    with pytest.raises(DifyConfigError, match=r"^yaml must be a string, got a value of type bytes$"):
        await dify.import_app(b"kind: app")  # type: ignore[arg-type]  # would be sent as base64
    assert fake.count() == 0
