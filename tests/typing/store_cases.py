"""Pages, token stores, events, repeats and errors."""

from contextlib import AsyncExitStack
from typing import Literal, assert_never, assert_type

from redis.asyncio import Redis, RedisCluster, Sentinel

from dify_async import (
    App,
    AppModelConfig,
    AppResult,
    AsyncDifyServer,
    Cursor,
    DifyConfigError,
    DifyConnectionError,
    DifyError,
    DifyLoginLockedError,
    DifyNotFoundError,
    DifyRateLimitError,
    DifyStatusError,
    DifyTimeoutError,
    Event,
    LoginAttempts,
    MemoryTokenStore,
    Page,
    RedisTokenStore,
    RequestAnswered,
    RequestEvent,
    RequestFailed,
    RequestRetried,
    RequestStarted,
    RetryPolicy,
    SessionRenewed,
    StoreDown,
    StoreUp,
    Tokens,
    TokenStore,
    WorkflowRun,
)


def parts(page: Page[App], cursor: Cursor[WorkflowRun], result: AppResult[App]) -> None:
    assert_type(page.data, list[App])
    assert_type(page.has_more, bool)
    assert_type(page.limit, int)
    assert_type(page.page, int)
    assert_type(page.total, int)
    assert_type(cursor.data, list[WorkflowRun])
    assert_type(cursor.has_more, bool)
    assert_type(cursor.limit, int)
    assert_type(result.app_id, str)
    assert_type(result.value, App | None)
    assert_type(result.error, DifyError | None)


def body(config: AppModelConfig) -> None:
    assert_type(config.to_body(), dict[str, object])


def made(redis: Redis, cluster: RedisCluster, sentinel: Sentinel) -> list[TokenStore]:
    return [
        MemoryTokenStore(),
        RedisTokenStore("redis://", prefix="a:", lock_timeout=10, encryption_key="key"),
        RedisTokenStore(redis, encryption_key=[b"new", "old"]),
        RedisTokenStore(cluster),
        RedisTokenStore(sentinel.master_for("name")),
    ]


async def any_store(store: TokenStore, stack: AsyncExitStack, tokens: Tokens) -> None:
    assert_type(await store.load("key"), Tokens | LoginAttempts | None)
    assert_type(await store.save("key", tokens), None)
    assert_type(await store.clear("key"), None)
    assert_type(await stack.enter_async_context(store.lock("key")), None)


async def memory(store: MemoryTokenStore, stack: AsyncExitStack, tokens: Tokens) -> None:
    assert_type(await store.load("key"), Tokens | LoginAttempts | None)
    assert_type(await store.save("key", tokens), None)
    assert_type(await store.clear("key"), None)
    assert_type(await stack.enter_async_context(store.lock("key")), None)


async def in_redis(store: RedisTokenStore, stack: AsyncExitStack, tokens: Tokens) -> None:
    assert_type(await store.load("key"), Tokens | LoginAttempts | None)
    assert_type(await store.save("key", tokens), None)
    assert_type(await store.clear("key"), None)
    assert_type(await stack.enter_async_context(store.lock("key")), None)
    assert_type(await store.aclose(), None)


def kept(tokens: Tokens) -> None:
    assert_type(tokens.access_token, str)
    assert_type(tokens.refresh_token, str)
    assert_type(tokens.csrf_token, str | None)
    assert_type(tokens.expires_at, int | None)
    assert_type(tokens.cookie_names, dict[str, str] | None)
    assert_type(tokens.by_code, bool)


def policy(retry: RetryPolicy) -> None:
    assert_type(RetryPolicy(attempts=1, base_delay=1, max_delay=10, max_retry_after=60), RetryPolicy)
    assert_type(retry.attempts, int)
    assert_type(retry.base_delay, float)
    assert_type(retry.max_delay, float)
    assert_type(retry.max_retry_after, float)


def counted(request: RequestEvent, retried: RequestRetried) -> None:
    assert_type(request.call, int)
    assert_type(request.method, str)
    assert_type(request.route, str)
    assert_type(request.attempt, int)
    assert_type(request.host, str)
    assert_type(request.port, int)
    assert_type(retried.wait, float)
    assert_type(retried.route, str)


def told(event: Event) -> None:
    """Every kind of event is there, and no other."""
    match event:
        case RequestStarted():
            assert_type(event.call, int)
        case RequestAnswered() as answered:
            check_answered(answered)
        case RequestFailed() as failed:
            check_failed(failed)
        case RequestRetried():
            assert_type(event.wait, float)
        case SessionRenewed() as renewed:
            check_renewed(renewed)
        case StoreDown() as down:
            check_down(down)
        case StoreUp():
            pass
        case _:
            assert_never(event)


def check_answered(event: RequestAnswered) -> None:
    assert_type(event.status, int)
    assert_type(event.seconds, float)


def check_failed(event: RequestFailed) -> None:
    assert_type(event.error, str)
    assert_type(event.seconds, float)


def check_renewed(event: SessionRenewed) -> None:
    assert_type(event.by, Literal["refresh token", "password", "e-mail code"])


def check_down(event: StoreDown) -> None:
    assert_type(event.error, str)


async def refused(dify: AsyncDifyServer) -> None:
    try:
        await dify.login()
    except DifyLoginLockedError as error:
        as_rate_limit: DifyRateLimitError = error
        assert_type(as_rate_limit.retry_after, float | None)
    except DifyNotFoundError as error:
        as_status: DifyStatusError = error
        assert_type(as_status.status, int)
        assert_type(as_status.code, str | None)
        assert_type(as_status.message, str)
        assert_type(as_status.method, str)
        assert_type(as_status.path, str)
    except DifyTimeoutError as error:
        as_connection: DifyConnectionError = error
        assert_type(as_connection.sent, bool)
        as_timeout: TimeoutError = error
        raise as_timeout from None
    except DifyConfigError as error:
        as_value: ValueError = error
        raise as_value from None
