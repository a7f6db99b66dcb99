"""The start and end of a query, in the account's time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dify_async._zones import find_zone
from dify_async.testing._console import errors
from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.params import Params
from dify_async.testing._console.rules import Rules

_FORMAT = "%Y-%m-%d %H:%M"


def account_zone(rules: Rules, account: FakeAccount) -> ZoneInfo:
    """The account's time zone; without one, the server fails."""
    if account.timezone is None:
        raise errors.internal(rules)
    return find_zone(account.timezone)


def time_range(rules: Rules, account: FakeAccount, params: Params) -> tuple[int | None, int | None]:
    """The start and end in unix seconds; None for one that the query does not have."""
    params.check()
    zone = account_zone(rules, account)
    start, end = (_timestamp(rules, params, name, zone) for name in ("start", "end"))
    params.check()
    is_reversed = start is not None and end is not None and start > end
    if is_reversed and rules.reversed_range_is_400:
        raise errors.bad_request("start must be earlier than or equal to end")
    return start, end


def _timestamp(rules: Rules, params: Params, name: str, zone: ZoneInfo) -> int | None:
    text = params.values.get(name)
    if text is None or (text == "" and rules.empty_time_is_none):
        return None
    try:
        local = datetime.strptime(text, _FORMAT)  # noqa: DTZ007 - the zone is applied by _candidates
    except ValueError as error:
        if rules.pydantic:
            raise errors.bad_request(f"Invalid {name} time format: {error}") from None
        plain = f"Invalid argument: {text}. argument must be conform to the format {_FORMAT}"
        params.reject(name, plain, "", "")
        return None
    first, second = _candidates(local, zone)
    if first > second and rules.moves_skipped_time_an_hour:
        first, second = _candidates(local + timedelta(hours=1), zone)
    return max(first, second)  # an ambiguous time resolves to the later one


def _candidates(local: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """The timestamps by the offset before and after a change of the clocks; near one they differ."""
    before = local.replace(tzinfo=zone)
    return int(before.timestamp()), int(before.replace(fold=1).timestamp())
