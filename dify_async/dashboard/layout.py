"""How feeds share a dashboard with other processes: as JSON, in which numbers may have any size."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from dify_async import errors
from dify_async._ids import id_of
from dify_async._zones import find_zone
from dify_async.errors import DifyError

from .dashboard import Dashboard
from .models import SeriesByKey

if TYPE_CHECKING:
    from .period import Period
    from .query import DashboardQuery

T = TypeVar("T")

# Times without an offset could not be compared.
_Aware = Annotated[datetime, Meta(tz=True)]

# Part of every key in Redis: increase it with any change of what is encoded here, so that two versions of
# the package can run side by side.
LAYOUT: Final = 1


class State(Struct, frozen=True, array_like=True):
    """The small value that feeds poll.

    Attributes:
        version: Increases with every refresh, also with one that failed.
        snapshot_version: The version at which the snapshot was published.
        refreshed_at: When the last refresh ended, by the clock of the process that refreshed.
        took: How many seconds it took.
        error: Why it failed; None if it succeeded.
    """

    version: int
    snapshot_version: int
    refreshed_at: _Aware
    took: float
    error: SharedError | None


class SharedSnapshot(Struct, frozen=True, array_like=True):
    """A dashboard, and the version at which it was published."""

    version: int
    fetched_at: _Aware
    dashboard: Dashboard


class SharedError(Struct, frozen=True, array_like=True):
    """An error as the name of its class, its text and its public fields."""

    name: str
    text: str
    fields: dict[str, str | int | float | bool | None]

    @classmethod
    def of(cls, error: Exception) -> SharedError:
        """The error to share; one that is not of this package becomes a DifyError."""
        if not isinstance(error, DifyError):
            return cls(DifyError.__name__, f"{type(error).__name__}: {error}", {})
        plain = str | int | float | None
        fields = {name: value for name, value in vars(error).items() if isinstance(value, plain)}
        return cls(type(error).__name__, str(error), fields)

    def error(self) -> DifyError:
        """The error; of an unknown class, a DifyError."""
        found = getattr(errors, self.name, None)
        error_type = found if isinstance(found, type) and issubclass(found, DifyError) else DifyError
        error = error_type.__new__(error_type, self.text)
        vars(error).update(self.fields)
        return error


def _encode_hook(value: Any) -> SharedError:
    if isinstance(value, DifyError):
        return SharedError.of(value)
    raise NotImplementedError(type(value).__name__)


def _decode_hook(expected: type, value: Any) -> DifyError:
    if expected is DifyError:
        return msgspec.convert(value, SharedError).error()
    raise NotImplementedError(expected.__name__)


_encoder: Final = msgspec.json.Encoder(enc_hook=_encode_hook)


def feed_key(account: str, query: DashboardQuery) -> str:
    """What the feeds of one account and one query have in common, as a text that reveals neither."""
    apps = None if query.apps is None else [id_of(app) for app in query.apps]
    parts = (LAYOUT, account, *query._replace(apps=None, metrics=frozenset()), apps, sorted(query.metrics))
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def encoded(value: State | SharedSnapshot) -> bytes:
    """The value as JSON."""
    return _encoder.encode(value)


def decoded_state(data: bytes | None) -> State | None:
    """The state; None if it cannot be decoded."""
    return _decoded(data, State)


def decoded_snapshot(data: bytes | None) -> SharedSnapshot | None:
    """The snapshot; None if it cannot be decoded. It may read the files of time zones."""
    found = _decoded(data, SharedSnapshot)
    if found is None:
        return None
    dashboard = found.dashboard
    previous = dashboard.previous_period
    apps = [structs.replace(app, series=SeriesByKey(app.series)) for app in dashboard.apps]
    dashboard = structs.replace(
        dashboard,
        period=_in_its_zone(dashboard.period),
        previous_period=None if previous is None else _in_its_zone(previous),
        apps=apps,
        totals=SeriesByKey(dashboard.totals),
    )
    return structs.replace(found, dashboard=dashboard, fetched_at=found.fetched_at.astimezone(UTC))


def _decoded(data: bytes | None, expected: type[T]) -> T | None:
    try:
        return None if data is None else msgspec.json.decode(data, type=expected, dec_hook=_decode_hook)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _in_its_zone(period: Period) -> Period:
    zone = find_zone(period.zone)
    return structs.replace(period, start=period.start.astimezone(zone), end=period.end.astimezone(zone))
