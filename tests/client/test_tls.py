"""Servers over TLS: valid certificates, and each kind of invalid one."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyDecodeError,
    DifyUnknownOutcomeError,
    DifyValidationError,
)
from dify_async._http.failures import FailureKind, failure_of
from dify_async._http.tls import permanent_problem
from dify_async.testing import FakeDifyServer
from tests.client.authorities import HOST, Authority, one_that_asks_for_a_certificate
from tests.client.support import failed_attempt
from tests.support import EACH_ERA, ONCE, an_app, client

KEY = "admin-key"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    """A self-signed certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
    now = datetime.now(UTC)
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "self-signed.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def refused(fake: FakeDifyServer, **options: Any) -> str:
    """The error text of a GET and of a change, neither of which is sent or retried."""
    key = {"admin_api_key": KEY, "workspace_id": fake.workspace_id, "server_version": fake.version}
    async with client(fake, **key, **options) as dify:
        with pytest.raises(DifyConnectionError) as change:
            await dify.init_app_api_key(an_app(fake))
        assert fake.connections_opened == 1
        with pytest.raises(DifyConnectionError) as look:
            await dify.apps()
        assert fake.connections_opened == 2
    async with client(fake, **options) as dify:
        with pytest.raises(DifyConnectionError):  # before its sign-in
            await dify.apps()
    assert fake.connections_opened == 3
    assert not fake.requests
    for error in (look.value, change.value):
        assert not isinstance(error, DifyUnknownOutcomeError)
        assert (error.sent, error.may_pass) == (False, False)
        assert fake.base_url.partition("://")[2] in str(error)
    assert str(look.value).removeprefix("GET /apps") in str(change.value)
    return str(look.value)


@EACH_ERA
async def test_an_authority_of_ones_own(version: str, authority: Authority) -> None:
    """With the cookies of a server behind https: Secure, with the prefix `__Host-`."""
    async with (
        FakeDifyServer(version, ssl=authority.server(), https_cookies=True) as fake,
        client(fake, ssl=authority.trusting) as dify,
    ):
        assert fake.base_url.startswith("https://")
        await dify.init_app_api_key(an_app(fake))
        fake.expire_access_tokens()
        assert len(await dify.apps()) == 12
        assert fake.count("POST", "/refresh-token") == 1
        if version == "1.11.2":
            assert "__Host-access_token=" in fake.requests[-1].headers["Cookie"]


async def test_an_authority_that_nobody_passed(authority: Authority) -> None:
    async with FakeDifyServer(ssl=authority.server()) as fake:
        text = await refused(fake)
    assert "from an authority that this machine does not trust" in text
    assert "pass ssl=ssl.create_default_context(cafile=…) with its certificate" in text


async def test_a_session_takes_the_context_itself(authority: Authority) -> None:
    async with FakeDifyServer(ssl=authority.server()) as fake, aiohttp.ClientSession() as session:
        assert "pass the session's connector ssl=ssl.create_default" in await refused(fake, session=session)


async def test_another_host(authority: Authority) -> None:
    async with FakeDifyServer(ssl=authority.server("dify.example.com")) as fake:
        text = await refused(fake, ssl=authority.trusting)
    assert "is for other hosts" in text
    assert f"not valid for '{HOST}'; use a name that the certificate contains" in text


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (datetime(2001, 1, 1), "expired; replace it on the server"),
        (datetime(2090, 1, 1), "check the clocks of this machine and of the server"),
    ],
)
async def test_another_time(authority: Authority, first: datetime, says: str) -> None:
    async with FakeDifyServer(ssl=authority.server(first=first)) as fake:
        assert says in await refused(fake, ssl=authority.trusting)


async def test_self_signed(self_signed: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(self_signed)
    async with FakeDifyServer(ssl=context, host="localhost") as fake:
        text = await refused(fake)
        assert "is self-signed; pass ssl=ssl.create_default_context(cafile=…) with this certificate" in text
        async with client(fake, ssl=ssl.create_default_context(cafile=self_signed)) as dify:
            assert len(await dify.apps()) == 12


async def test_another_certificate_than_the_pinned_one(authority: Authority) -> None:
    connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes(32)))
    async with (
        FakeDifyServer(ssl=authority.server()) as fake,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        assert "does not match the fingerprint of the session" in await refused(fake, session=session)


@pytest.mark.parametrize("host", [HOST, "dify.example.com"])
async def test_nothing_is_checked_on_demand(authority: Authority, host: str) -> None:
    async with (
        FakeDifyServer(ssl=authority.server(host, datetime(2001, 1, 1))) as fake,
        client(fake, ssl=False) as dify,
    ):
        assert len(await dify.apps()) == 12


async def test_https_to_a_port_of_http() -> None:
    async with FakeDifyServer() as fake:
        text = await refused(fake, base_url=fake.base_url.replace("http:", "https:"))
    assert "does not use TLS; check whether the address must be http://, or the port is wrong" in text


async def test_http_to_a_port_of_https(authority: Authority) -> None:
    """The server closes the connection, as if it were down, so the request is retried."""
    async with (
        FakeDifyServer(ssl=authority.server()) as fake,
        client(fake, base_url=fake.base_url.replace("https:", "http:")) as dify,
    ):
        with pytest.raises(DifyConnectionError, match=r"check whether base_url must be https://"):
            await dify.apps()


async def test_http_to_a_port_that_answers_with_an_alert() -> None:
    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(bytes.fromhex("15030100020246"))  # TLS: fatal, protocol version
        writer.close()

    async with await asyncio.start_server(alert, HOST, 0) as server:
        base_url = "http://{}:{}".format(*server.sockets[0].getsockname())
        async with AsyncDifyServer(base_url, "a@example.com", "secret") as dify:
            with pytest.raises(
                DifyDecodeError, match=r"not valid HTTP.*check whether base_url must be https://"
            ):
                await dify.apps()


@pytest.mark.parametrize(
    "body",
    [
        b"<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>",
        b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        b"Client sent an HTTP request to an HTTPS server.\n",
    ],
    ids=["nginx", "Apache", "Go"],
)
async def test_http_to_a_port_that_says_so(body: bytes) -> None:
    async with FakeDifyServer(hide_version=True) as fake, client(fake) as dify:
        fake.inject(status=400, body=body)
        with pytest.raises(DifyValidationError, match="base_url must begin with https://"):
            await dify.apps()
        assert len(fake.requests) == 1


async def test_a_server_that_has_answered_is_not_asked_for_https(fake: FakeDifyServer) -> None:
    async with client(fake) as dify:
        await dify.apps()
        fake.inject(cut="before")
        with pytest.raises(DifyConnectionError) as raised:
            await dify.apps()
    assert "https" not in str(raised.value)


@pytest.mark.parametrize("says_why", [True, False], ids=["alert", "closed"])
@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
@pytest.mark.parametrize("own", ["none", "of another authority"])
async def test_a_client_certificate_is_missing(
    authority: Authority, tls: ssl.TLSVersion, own: str, *, says_why: bool
) -> None:
    """phylax#23, reqwest#1808: with TLS 1.3 the server verifies it after the handshake."""
    trusting = authority.trusting
    if own != "none":
        trustme.CA().issue_cert("ops@example.com").configure_cert(trusting)
    async with (
        one_that_asks_for_a_certificate(authority, tls, says_why=says_why) as url,
        AsyncDifyServer(
            url, admin_api_key=KEY, workspace_id="w", server_version="1.11.2", ssl=trusting, retry=ONCE
        ) as dify,
    ):
        for call in (dify.profile(), dify.init_dataset_api_key()):
            with pytest.raises(DifyConnectionError, match=r"client certificate.*load_cert_chain\(") as raised:
                await call
            assert str(raised.value).count("\n") == 0


def test_after_an_alert_about_the_certificate_nothing_was_sent() -> None:
    """Although the request was written: with TLS 1.3 the alert comes after the handshake."""
    alert = ssl.SSLError(1, "text")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    error = aiohttp.ClientOSError()
    error.__cause__ = alert
    attempt = failed_attempt(FailureKind.DISCONNECTED, "POST /apps", changes=True)
    failure = failure_of(error, attempt)
    assert type(failure) is DifyConnectionError
    assert not failure.sent
    assert "host:443 requires a client certificate" in str(failure)


def test_alerts_about_the_clients_certificate() -> None:
    for reason, says in {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": "load it with context.load_cert_chain(…), and pass ssl=context",
        "SSLV3_ALERT_BAD_CERTIFICATE": "or one that it does not trust",
        "TLSV1_ALERT_UNKNOWN_CA": "requires a client certificate",
        "SSLV3_ALERT_HANDSHAKE_FAILURE": "whether the server requires a client certificate",
        "TLSV1_ALERT_PROTOCOL_VERSION": "have a TLS version in common",
    }.items():
        error = ssl.SSLError(1, "text")
        error.reason = reason
        assert says in str(permanent_problem(error, "host:443", "ssl="))
    assert permanent_problem(ConnectionResetError(), "host:443", "ssl=") is None
