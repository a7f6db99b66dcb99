"""Changes are never made twice, for each endpoint that changes something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from dify_async import (
    AppModelConfig,
    AsyncDifyServer,
    DifyServerError,
    DifyUnknownOutcomeError,
)
from dify_async._api import endpoints as _endpoints
from dify_async._api.endpoints import Endpoint
from dify_async._http.retry import UNSAFE
from dify_async.testing import FakeDifyServer
from tests.support import client

ID: Final = "00000000-0000-4000-8000-000000000000"
MODEL: Final = AppModelConfig(model={"name": "gpt-4o"})
Change = Callable[[AsyncDifyServer, str], Awaitable[object]]

CHANGES: Final[dict[str, Change]] = {
    "NEW_APP": lambda dify, _: dify.create_app("n", "chat"),
    "UPDATE_APP": lambda dify, app: dify.update_app(app, name="n"),
    "COPY_APP": lambda dify, app: dify.copy_app(app),
    "MODEL_CONFIG": lambda dify, app: dify.update_app_model_config(app, MODEL),
    "ENABLE_API": lambda dify, app: dify.enable_app_api(app, True),
    "ENABLE_SITE": lambda dify, app: dify.enable_app_site(app, True),
    "IMPORT_APP": lambda dify, _: dify.import_app("kind: app"),
    "CONFIRM_IMPORT": lambda dify, _: dify.confirm_import(ID),
    "PUBLISH_WORKFLOW": lambda dify, app: dify.publish_workflow(app),
    "NEW_APP_API_KEY": lambda dify, app: dify.init_app_api_key(app),
    "NEW_DATASET_API_KEY": lambda dify, _: dify.init_dataset_api_key(),
    "RETRY_DOCUMENTS": lambda dify, _: dify.retry_document_indexing(ID, [ID]),
    "SWITCH_WORKSPACE": lambda dify, _: dify.switch_workspace(ID),
    "INVITE_MEMBERS": lambda dify, _: dify.invite_members(["a@example.com"], "normal"),
    "TIMEZONE": lambda dify, _: dify.set_timezone("UTC"),
    "UPDATE_PROFILE": lambda dify, _: dify.set_timezone("UTC"),
}
# The route that is tried first, and has to be gone.
BEFORE: Final = {"UPDATE_PROFILE": "/account/timezone"}


UNCLEAR: Final = ({"cut": "after"}, {"cut": "body"}, {"status": 502}, {"status": 504})


def test_all_changes_are_tested() -> None:
    table = vars(_endpoints).items()
    assert {name for name, one in table if isinstance(one, Endpoint) and one.safety is UNSAFE} == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_of_unknown_outcome_is_not_retried(fake: FakeDifyServer, name: str) -> None:
    """apify-client-python#990: the response is lost or cut off, or a gateway replaces it."""
    endpoint: Endpoint[object] = getattr(_endpoints, name)
    path = endpoint.path.replace("{}", "*")
    app = fake.apps[0].id
    if name in BEFORE:
        fake.inject(BEFORE[name], status=404)
    async with client(fake) as dify:
        await dify.profile()
        for sent, fault in enumerate(
            ({"cut": "after"}, {"cut": "body"}, {"status": 502}, {"status": 504}), 1
        ):
            struck = fake.inject(path, endpoint.method, **fault)  # type: ignore[arg-type]  # one of its arguments
            with pytest.raises(DifyUnknownOutcomeError):
                await CHANGES[name](dify, app)
            assert fake.count(endpoint.method, path) == sent, fault
            struck.remove()
        struck = fake.inject(path, endpoint.method, status=500)
        with pytest.raises(DifyServerError):
            await CHANGES[name](dify, app)
        assert fake.count(endpoint.method, path) == 5
