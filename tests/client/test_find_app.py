"""Finding an app by its name."""

from __future__ import annotations

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyNotFoundError
from dify_async.testing import FakeDifyServer


async def test_an_app_of_this_name(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Other names that contain it, and names in other case, are other apps."""
    for name in ("Handbook", "Handbook of sales", "handbook"):
        fake.add_app(name, "chat")
    found = await dify.find_app("Handbook")
    assert found.id == next(app.id for app in fake.apps if app.name == "Handbook")
    assert (await dify.find_app("handbook")).name == "handbook"


@pytest.mark.parametrize("name", ["100% of _all", "x" * 40, " spaces ", 'a "b" & c', "中文"])
async def test_a_name_that_the_filter_treats_differently(
    fake: FakeDifyServer, dify: AsyncDifyServer, name: str
) -> None:
    """It uses 30 characters, and up to 1.11.3 wildcards."""
    fake.add_app(f"{name}b", "chat")
    expected = fake.add_app(name, "workflow")
    fake.add_app("100 percent of 1all", "chat")
    assert (await dify.find_app(name)).id == expected.id


async def test_similar_names(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.add_app("Customer handbook", "chat")
    with pytest.raises(
        DifyNotFoundError, match=r"no app is named 'customer handbooks'\. Did you mean 'Customer handbook'"
    ):
        await dify.find_app("customer handbooks")
    with pytest.raises(DifyNotFoundError, match=r"no app is named 'zzz'\. List the names") as missing:
        await dify.find_app("zzz")
    assert (missing.value.status, missing.value.code) == (404, "app_not_found")


async def test_a_workspace_without_apps(version: str) -> None:
    async with (
        FakeDifyServer(version, apps=0) as fake,
        AsyncDifyServer(fake.base_url, fake.email, fake.password) as dify,
    ):
        with pytest.raises(DifyNotFoundError, match="has access to no apps"):
            await dify.find_app("Handbook")


async def test_several_apps_of_one_name(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    ids = [fake.add_app("Handbook", mode).id for mode in ("chat", "workflow")]
    with pytest.raises(
        DifyConfigError, match=r"2 apps are named 'Handbook'.*; pass one of these ids"
    ) as refused:
        await dify.find_app("Handbook")
    assert all(f"{one} (" in str(refused.value) for one in ids)


@pytest.mark.parametrize("name", ["", None, 5])
async def test_a_name_must_be_text(fake: FakeDifyServer, dify: AsyncDifyServer, name: object) -> None:
    with pytest.raises(DifyConfigError, match=r"name must (be a string|not be empty)"):
        await dify.find_app(name)  # type: ignore[arg-type]
    assert fake.count() == 0
