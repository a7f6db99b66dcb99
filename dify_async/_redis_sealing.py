"""Encryption of tokens at rest. The only module that imports cryptography, an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Seal:
    """Fernet with a list of keys: the first one encrypts, and all decrypt."""

    def __init__(self, keys: str | bytes | Sequence[str | bytes]) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415 - an extra
        except ImportError:
            raise DifyConfigError(
                "encryption_key requires the package cryptography; install dify-async[encryption]"
            ) from None
        if isinstance(keys, str | bytes):
            keys = [keys]
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, TypeError):
            raise DifyConfigError(
                "encryption_key must be a key from Fernet.generate_key(), or a list of such keys"
            ) from None
        self._invalid = InvalidToken

    def close(self, value: bytes) -> bytes:
        """Encrypt."""
        return self._fernet.encrypt(value)

    def open(self, value: bytes) -> bytes | None:
        """Decrypt; None if no key decrypts the value."""
        try:
            return self._fernet.decrypt(value)
        except self._invalid:
            return None
