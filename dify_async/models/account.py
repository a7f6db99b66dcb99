"""The account that is signed in, and the server that it is signed in to."""

from __future__ import annotations

from msgspec import Struct


class Account(Struct, frozen=True, kw_only=True):
    """The account that is signed in.

    Attributes:
        timezone: IANA name. It is the zone of every statistic's days and bounds; where it is None
            the server answers statistics with 500.
        last_login_at: Unix seconds.
        created_at: Unix seconds.
    """

    id: str
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
    interface_language: str | None = None
    interface_theme: str | None = None
    avatar: str | None = None
    avatar_url: str | None = None
    is_password_set: bool | None = None
    last_login_at: int | None = None
    last_login_ip: str | None = None
    created_at: int | None = None


class SystemFeatures(Struct, frozen=True, kw_only=True):
    """What the server offers before anybody signs in: the ways to sign in."""

    enable_email_password_login: bool | None = None
    enable_email_code_login: bool | None = None
    enable_social_oauth_login: bool | None = None
    sso_enforced_for_signin: bool | None = None
    sso_enforced_for_signin_protocol: str | None = None
