"""Accounts, and the lock-out after wrong passwords."""

import time

from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.rules import Rules

MAX_ATTEMPTS = 6  # wrong passwords before the address is locked


class Accounts:
    """All accounts. Six wrong passwords lock an address until a correct login or `unlock()`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._by_id: dict[str, FakeAccount] = {}
        self._failures: dict[str, int] = {}

    def add(self, account: FakeAccount) -> FakeAccount:
        """Add an account, which may log in from now on."""
        if self.by_email(account.email):
            raise ValueError(f"There is an account {account.email} already.")
        self._by_id[account.id] = account
        return account

    def remove(self, email: str) -> None:
        """Delete the account with this address."""
        account = self.by_email(email)
        if account is None:
            raise ValueError(f"There is no account {email}.")
        del self._by_id[account.id]

    @property
    def all(self) -> list[FakeAccount]:
        """All accounts, oldest first."""
        return list(self._by_id.values())

    def by_id(self, account_id: str) -> FakeAccount | None:
        """The account with this id."""
        return self._by_id.get(account_id)

    def by_email(self, email: str) -> FakeAccount | None:
        """The account with this address."""
        key = self._key(email)
        return next((account for account in self._by_id.values() if self._key(account.email) == key), None)

    def failed_logins(self, email: str) -> int:
        """How many wrong passwords count toward the lock of an address."""
        return self._failures.get(self._key(email), 0)

    def is_locked(self, email: str) -> bool:
        """Whether the address has no password attempts left."""
        return self.failed_logins(email) >= MAX_ATTEMPTS

    def record_failure(self, email: str) -> None:
        """Count a wrong password; unknown addresses are counted too."""
        key = self._key(email)
        self._failures[key] = self._failures.get(key, 0) + 1

    def record_login(self, account: FakeAccount) -> None:
        """Clear the count of wrong passwords after a correct one."""
        account.last_login_at = int(time.time())
        self._failures.pop(self._key(account.email), None)

    def unlock(self) -> None:
        """Unlock every address."""
        self._failures.clear()

    def _key(self, email: str) -> str:
        return email.lower() if self._rules.case_insensitive_email else email
