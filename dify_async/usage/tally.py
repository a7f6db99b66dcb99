"""Adds up messages and runs by group. Pure; the memory depends on the groups, not on the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dify_async.dashboard.totals import EXACT

from .models import FIELDS_OF, Group, UsageRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from dify_async.models import App

    from .models import UsageDimension

_add: Final = EXACT.add


class Tokens(NamedTuple):
    """What a message, a run or a call of a model used; None if it is not known."""

    input: int | None = None
    output: int | None = None
    total: int = 0
    price: Decimal | None = None
    currency: str = "USD"


class Model(NamedTuple):
    """A model; None if it is not known."""

    provider: str | None = None
    name: str | None = None


UNKNOWN: Final = Model()


class ModelTokens(NamedTuple):
    """The tokens of one model; None for those of unknown models."""

    provider: str | None
    model: str | None
    tokens: Tokens


class Person(NamedTuple):
    """Who had a conversation or started a run: an end user or a console user."""

    user: str | None
    account: str | None
    source: str | None


class Sums:
    """The numbers of one group."""

    __slots__ = ("conversations", "cost", "input_tokens", "messages", "output_tokens", "runs", "total_tokens")

    def __init__(self) -> None:
        self.messages: int = 0
        self.conversations: int = 0
        self.runs: int = 0
        self.total_tokens: int = 0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cost: dict[str, Decimal] = {}

    def count(self, messages: int, runs: int) -> None:
        """Count messages and runs, without their tokens."""
        self.messages += messages
        self.runs += runs

    def use(self, tokens: Tokens) -> None:
        """Add tokens and their price."""
        asked, answered, total, price, currency = tokens
        self.total_tokens += total
        if asked is not None:
            self.input_tokens = (self.input_tokens or 0) + asked
        if answered is not None:
            self.output_tokens = (self.output_tokens or 0) + answered
        if price is not None:
            self._pay(currency, price)

    def add(self, other: Sums) -> None:
        """Add the numbers of another group."""
        self.count(other.messages, other.runs)
        self.conversations += other.conversations
        self.use(Tokens(other.input_tokens, other.output_tokens, other.total_tokens))
        for currency, price in other.cost.items():
            self._pay(currency, price)

    def row(self, group: Group) -> UsageRow:
        """The row of a report."""
        return UsageRow(
            **group._asdict(),
            messages=self.messages,
            conversations=self.conversations,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            total_tokens=self.total_tokens,
            cost=self.cost,
            runs=self.runs,
        )

    def _pay(self, currency: str, price: Decimal) -> None:
        before = self.cost.get(currency)
        self.cost[currency] = price if before is None else _add(before, price)


class AppTally:
    """The usage of one app: by group, and by day to compare it with the app's statistics."""

    def __init__(self, app: App, by: Collection[str]) -> None:
        is_by_app = "app" in by
        self._by = by
        self._group = Group(
            app_id=app.id if is_by_app else None,
            app_name=app.name if is_by_app else None,
            mode=app.mode if "mode" in by else None,
        )
        self.groups: dict[Group, Sums] = {}
        self.days: dict[date, Sums] = {}

    def day(self, day: date) -> Sums:
        """The sums of a day."""
        sums = self.days.get(day)
        if sums is None:
            sums = self.days[day] = Sums()
        return sums

    def conversation(self, person: Person, model: Model = UNKNOWN) -> ConversationTally:
        """A tally for the messages of one conversation, which counts it once in each of its groups.

        The tokens that `ConversationTally.add` is given without a model are those of `model`.
        """
        group = self._group._replace(
            user=person.user if "user" in self._by else None,
            account=person.account if "account" in self._by else None,
            source=person.source if "source" in self._by else None,
        )
        return ConversationTally(self, group, model, self._by)


class ConversationTally:
    """The messages of one conversation, or the run of a log row."""

    def __init__(self, app: AppTally, group: Group, model: Model, by: Collection[str]) -> None:
        self._app = app
        self._group = group
        self._model = model
        self._is_by_day = "day" in by
        self._is_by_model = "model" in by
        self._is_by_provider = "provider" in by
        self._sums: dict[tuple[date | None, str | None, str | None], Sums] = {}
        self._counted: set[int] = set()  # the sums that have this conversation

    def add(
        self,
        day: date,
        tokens: Tokens,
        models: Sequence[ModelTokens] = (),
        *,
        messages: int = 0,
        runs: int = 0,
    ) -> None:
        """Add a message or a run: all its tokens, and those of each known model among them."""
        per_day = self._app.day(day)
        per_day.count(messages, runs)
        if not models:
            sums = self._sums_of(day, *self._model)
            sums.use(tokens)
            per_day.use(tokens)
            self._count(sums, messages, runs)
            return
        parts = [(self._sums_of(day, part.provider, part.model), part.tokens) for part in models]
        groups = {id(sums): sums for sums, _ in parts}
        rest = _rest(tokens, models)
        if rest is not None:
            parts.append((self._sums_of(day, *self._model), rest))
        for sums, used in parts:
            sums.use(used)
            per_day.use(used)
        for sums in groups.values():
            self._count(sums, messages, runs)

    def _count(self, sums: Sums, messages: int, runs: int) -> None:
        sums.count(messages, runs)
        if messages and id(sums) not in self._counted:
            self._counted.add(id(sums))
            sums.conversations += 1

    def _sums_of(self, day: date, provider: str | None, model: str | None) -> Sums:
        key = (
            day if self._is_by_day else None,
            provider if self._is_by_provider else None,
            model if self._is_by_model else None,
        )
        sums = self._sums.get(key)
        if sums is None:
            group = self._group._replace(day=key[0], provider=key[1], model=key[2])
            sums = self._sums[key] = self._app.groups.setdefault(group, Sums())
        return sums


def merge(groups: dict[Group, Sums], tally: AppTally) -> None:
    """Add the groups of an app to those of others."""
    for group, sums in tally.groups.items():
        groups.setdefault(group, Sums()).add(sums)


def rows_of(groups: Mapping[Group, Sums], by: Iterable[UsageDimension]) -> list[UsageRow]:
    """The rows of a report, sorted by group; what is not known comes last."""
    names = [name for dimension in by for name in reversed(FIELDS_OF[dimension])]

    def order(group: Group) -> list[tuple[bool, str]]:
        values = (getattr(group, name) for name in names)
        return [(value is None, str(value)) for value in values]

    return [groups[group].row(group) for group in sorted(groups, key=order)]


def _rest(tokens: Tokens, models: Sequence[ModelTokens]) -> Tokens | None:
    """The tokens that no model accounts for; None if nothing is left.

    It is negative if the nodes of a workflow used more than the message reports, such as in retries.
    """
    price = tokens.price
    for part in models:
        if price is not None and part.tokens.price is not None and part.tokens.currency == tokens.currency:
            price = EXACT.subtract(price, part.tokens.price)
    rest = Tokens(
        _difference(tokens.input, [part.tokens.input for part in models]),
        _difference(tokens.output, [part.tokens.output for part in models]),
        tokens.total - sum(part.tokens.total for part in models),
        price or None,
        tokens.currency,
    )
    return rest if any(rest[:4]) else None


def _difference(whole: int | None, parts: Iterable[int | None]) -> int | None:
    return None if whole is None else whole - sum(part or 0 for part in parts) or None
