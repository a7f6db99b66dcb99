"""The start and end of a query, in the account's time zone."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call
from dify_async.testing._console.params import Params

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_FORMAT = "%Y-%m-%d %H:%M"


def time_range(console: "Console", call: Call, params: Params) -> tuple[int | None, int | None]:
    """Both ends in unix seconds; None where the query has none."""
    params.check()
    zone = console.zone(call.owner)
    start, end = (_moment(console, params, name, zone) for name in ("start", "end"))
    params.check()
    backward = start is not None and end is not None and start > end
    if backward and console.rules.backward_range_is_400:
        raise errors.bad_request("start must be earlier than or equal to end")
    return start, end


def _moment(console: "Console", params: Params, name: str, zone: ZoneInfo) -> int | None:
    text = params.values.get(name)
    if text is None or (text == "" and console.rules.empty_time_is_none):
        return None
    try:
        local = datetime.strptime(text, _FORMAT)  # noqa: DTZ007 - the zone comes with the readings
    except ValueError as error:
        if console.rules.pydantic:
            raise errors.bad_request(f"Invalid {name} time format: {error}") from None
        plain = f"Invalid argument: {text}. argument must be conform to the format {_FORMAT}"
        params.wrong(name, plain, "", "")
        return None
    first, second = _readings(local, zone)
    if first > second and console.rules.moves_by_an_hour:
        first, second = _readings(local + timedelta(hours=1), zone)
    return max(first, second)  # of an hour that comes twice, the later one


def _readings(local: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """By the clock before a change, and by that after it: they differ near one."""
    before = local.replace(tzinfo=zone)
    return int(before.timestamp()), int(before.replace(fold=1).timestamp())
