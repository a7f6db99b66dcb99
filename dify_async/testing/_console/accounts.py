"""Accounts, their passwords and the lock-out."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5

from dify_async.testing._console.rules import Rules

ATTEMPTS = 6  # wrong passwords before the address is locked


@lru_cache(maxsize=2**14)  # a row has several, and pages are read again
def make_id(*parts: object) -> str:
    """A UUID that is the same in every run for the same parts."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))


@dataclass(slots=True, kw_only=True)
class FakeAccount:
    """Who may sign in; `timezone` may be None, as in a server's database."""

    id: str
    email: str
    password: str = field(repr=False)
    name: str
    timezone: str | None
    interface_language: str = "en-US"
    interface_theme: str = "light"
    role: str = "owner"
    workspace: bool = True
    banned: bool = False
    pending: bool = False
    workspace_id: str = ""
    created_at: int = field(default_factory=lambda: int(time.time()))
    last_login_at: int = field(default_factory=lambda: int(time.time()))


class Accounts:
    """All accounts; an address is locked after six wrong passwords until a right one or `unlock`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._by_id: dict[str, FakeAccount] = {}
        self._failures: dict[str, int] = {}

    def add(self, account: FakeAccount) -> FakeAccount:
        """Let an account sign in."""
        if self.of_email(account.email):
            raise ValueError(f"There is an account {account.email} already.")
        self._by_id[account.id] = account
        return account

    def remove(self, email: str) -> None:
        """Delete the account of an address."""
        account = self.of_email(email)
        if account is None:
            raise ValueError(f"There is no account {email}.")
        del self._by_id[account.id]

    @property
    def all(self) -> list[FakeAccount]:
        """In the order in which they came."""
        return list(self._by_id.values())

    def of_id(self, account_id: str) -> FakeAccount | None:
        """The account that a token names."""
        return self._by_id.get(account_id)

    def of_email(self, email: str) -> FakeAccount | None:
        """The account of an address."""
        key = self._key(email)
        return next((account for account in self._by_id.values() if self._key(account.email) == key), None)

    def is_locked(self, email: str) -> bool:
        """Whether the address has used its attempts up."""
        return self._failures.get(self._key(email), 0) >= ATTEMPTS

    def failed(self, email: str) -> None:
        """Count a wrong password; unknown addresses are counted too."""
        key = self._key(email)
        self._failures[key] = self._failures.get(key, 0) + 1

    def succeeded(self, account: FakeAccount) -> None:
        """A right password clears the count."""
        account.last_login_at = int(time.time())
        self._failures.pop(self._key(account.email), None)

    def unlock(self) -> None:
        """Clear every count."""
        self._failures.clear()

    def _key(self, email: str) -> str:
        return email.lower() if self._rules.folded_email else email
