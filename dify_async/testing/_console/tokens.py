"""Access and CSRF tokens (JWTs) and refresh tokens (opaque, single use)."""

import base64
import hmac
import json
import math
import secrets
import string
import time
from typing import Any, NamedTuple

from dify_async.testing._console import errors
from dify_async.testing._console.http import HTTPError

_BASE64 = string.ascii_letters + string.digits + "-_"


class IssuedTokens(NamedTuple):
    """The tokens of one login or refresh; `expires` applies to the access and the CSRF token."""

    access: str
    csrf: str
    refresh: str
    expires: int


class Tokens:
    """Issues, verifies and revokes tokens."""

    def __init__(self, lifetime: float, *, issuer: str) -> None:
        self._lifetime, self._issuer = lifetime, issuer
        self._secret = secrets.token_bytes(32)
        self._claims: dict[str, dict[str, Any]] = {}
        self._expiry: dict[str, float] = {}
        self._revoked: set[str] = set()
        self._refresh: dict[str, str] = {}
        self._newest: dict[str, str] = {}

    def issue(self, account_id: str) -> IssuedTokens:
        """New tokens for an account."""
        expires = time.time() + self._lifetime
        # Without iat or jti, as on the server: tokens issued in the same second are equal.
        claims = {"exp": math.ceil(expires)}
        access = {"user_id": account_id, **claims, "iss": self._issuer, "sub": "Console API Passport"}
        issued = IssuedTokens(
            access=self._sign(access),
            csrf=self._sign({**claims, "sub": account_id}),
            refresh=secrets.token_hex(64),
            expires=claims["exp"],
        )
        for token in (issued.access, issued.csrf):
            self._expiry[token] = expires
            self._revoked.discard(token)
        self._refresh[issued.refresh] = account_id
        self._newest[account_id] = issued.refresh
        return issued

    def redeem(self, refresh: str) -> str | None:
        """The account id of a refresh token, which is invalid from now on."""
        return self._refresh.pop(refresh, None)

    def revoke_newest(self, account_id: str) -> None:
        """Revoke the account's newest refresh token, as a logout does."""
        self._refresh.pop(self._newest.pop(account_id, ""), None)

    def account_id(self, access: str) -> str:
        """The account id of an access token; a 401 if the token is invalid."""
        claims = self._verify(access)
        if "user_id" not in claims:
            raise errors.unauthorized(errors.NO_BEARER)
        return str(claims["user_id"])

    def is_csrf_of(self, csrf: str, account_id: str) -> bool:
        """Whether this is a valid CSRF token of the account."""
        try:
            return self._verify(csrf).get("sub") == account_id
        except HTTPError:
            return False

    def expire_access(self) -> None:
        """Expire all access and CSRF tokens."""
        self._expiry = dict.fromkeys(self._expiry, 0.0)

    def revoke_access(self) -> None:
        """Make the signatures of all access and CSRF tokens invalid."""
        self._revoked.update(self._expiry)

    def revoke_refresh(self) -> None:
        """Revoke all refresh tokens."""
        self._refresh.clear()
        self._newest.clear()

    def _sign(self, claims: dict[str, Any]) -> str:
        header = _encode(b'{"alg":"HS256","typ":"JWT"}')
        signed = f"{header}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{signed}.{_encode(self._digest(signed))}"

    def _digest(self, signed: str) -> bytes:
        return hmac.digest(self._secret, signed.encode(), "sha256")

    def _verify(self, token: str) -> dict[str, Any]:
        """The claims, verified in PyJWT's order, which the messages of the 401s show."""
        claims = self._claims.get(token)
        if claims is None:
            claims = self._claims[token] = self._decode_token(token)
        if token in self._revoked:
            raise errors.unauthorized("Invalid token signature.")
        if self._expiry.get(token, claims["exp"]) <= time.time():
            raise errors.unauthorized("Token has expired.")
        return claims

    def _decode_token(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        try:
            json.loads(_decode(header))
            body, digest = _decode(payload), _decode(signature)
        except ValueError:
            raise errors.unauthorized("Invalid token.") from None
        if not hmac.compare_digest(digest, self._digest(signed)):
            raise errors.unauthorized("Invalid token signature.")
        claims: dict[str, Any] = json.loads(body)
        return claims


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    # As in the server's Python, up to 3.13: invalid characters are skipped, with all that follows.
    part = part[: len(part) - len(part.lstrip(_BASE64))]
    return base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
