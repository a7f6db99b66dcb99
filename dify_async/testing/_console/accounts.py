"""The accounts, and the lock on an email address after too many wrong passwords."""

import time

from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.rules import Rules

MAX_ATTEMPTS = 6  # wrong passwords that lock an email address


class Accounts:
    """All accounts. Six wrong passwords in a row lock an email address until `unlock()` is called."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._by_id: dict[str, FakeAccount] = {}
        self._failures: dict[str, int] = {}

    def add(self, account: FakeAccount) -> FakeAccount:
        """Add an account, so that it can log in."""
        if self.by_email(account.email):
            raise ValueError(f"There is an account {account.email} already.")
        self._by_id[account.id] = account
        return account

    def remove(self, email: str) -> None:
        """Delete the account with this email address."""
        account = self.by_email(email)
        if account is None:
            raise ValueError(f"There is no account {email}.")
        del self._by_id[account.id]

    @property
    def all(self) -> list[FakeAccount]:
        """All accounts, oldest first."""
        return list(self._by_id.values())

    def by_id(self, account_id: str) -> FakeAccount | None:
        """The account with this id, or None."""
        return self._by_id.get(account_id)

    def by_email(self, email: str) -> FakeAccount | None:
        """The account with this email address, or None."""
        key = self._key(email)
        return next((account for account in self._by_id.values() if self._key(account.email) == key), None)

    def failed_logins(self, email: str) -> int:
        """The number of wrong passwords that count toward the lock of an email address."""
        return self._failures.get(self._key(email), 0)

    def is_locked(self, email: str) -> bool:
        """Whether the email address has no password attempts left."""
        return self.failed_logins(email) >= MAX_ATTEMPTS

    def record_failure(self, email: str) -> None:
        """Count a wrong password, even if no account has the email address."""
        key = self._key(email)
        self._failures[key] = self._failures.get(key, 0) + 1

    def record_login(self, account: FakeAccount) -> None:
        """Record the time of a login, and reset the number of wrong passwords."""
        account.last_login_at = int(time.time())
        self._failures.pop(self._key(account.email), None)

    def unlock(self) -> None:
        """Unlock all email addresses."""
        self._failures.clear()

    def _key(self, email: str) -> str:
        return email.lower() if self._rules.case_insensitive_email else email
