"""Token stores, events and errors, which users implement, match and catch."""

from typing import Literal, assert_never, assert_type

from redis.asyncio import Redis, RedisCluster, Sentinel

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyConnectionError,
    DifyLoginLockedError,
    DifyNotFoundError,
    DifyRateLimitError,
    DifyStatusError,
    DifyTimeoutError,
    Event,
    MemoryTokenStore,
    RedisTokenStore,
    RequestAnswered,
    RequestEvent,
    RequestFailed,
    RequestRetried,
    RequestStarted,
    SessionRefreshed,
    StoreDown,
    StoreUp,
    TokenStore,
)


def made(redis: Redis, cluster: RedisCluster, sentinel: Sentinel) -> list[TokenStore]:
    return [
        MemoryTokenStore(),
        RedisTokenStore("redis://", encryption_key="key"),
        RedisTokenStore(redis, encryption_key=[b"new", "old"]),
        RedisTokenStore(cluster),
        RedisTokenStore(sentinel.master_for("name")),
    ]


def matched(event: Event) -> None:
    """Every kind of event is there, and no other."""
    match event:
        case RequestStarted() | RequestAnswered() | RequestFailed():
            request: RequestEvent = event
            assert_type(request.attempt, int)
        case RequestRetried():
            assert_type(event.wait, float)
        case SessionRefreshed():
            assert_type(event.method, Literal["refresh_token", "password", "email_code"])
        case StoreDown():
            assert_type(event.error, str)
        case StoreUp():
            pass
        case _:
            assert_never(event)


async def caught(dify: AsyncDifyServer) -> None:
    try:
        await dify.login()
    except DifyLoginLockedError as error:
        as_rate_limit: DifyRateLimitError = error
        assert_type(as_rate_limit.retry_after, float | None)
    except DifyNotFoundError as error:
        as_status: DifyStatusError = error
        assert_type(as_status.code, str | None)
    except DifyTimeoutError as error:
        as_connection: DifyConnectionError = error
        assert_type(as_connection.sent, bool)
        as_timeout: TimeoutError = error
        raise as_timeout from None
    except DifyConfigError as error:
        as_value: ValueError = error
        raise as_value from None
