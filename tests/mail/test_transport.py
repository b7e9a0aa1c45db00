"""Encryption and passwords on the way to the mail server."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from payorcrm.mail.connect import CannotConnect, connect
from tests.factories.smtp import ScriptedServer, accept_only


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with key and certificate of `localhost`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    plain = serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    """The server's side of an encrypted line."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


@pytest.fixture
def secure_server(context: ssl.SSLContext) -> Iterator[ScriptedServer]:
    """A server that offers STARTTLS and knows one user."""
    started = ScriptedServer(tls_context=context, authenticator=accept_only(b"us", b"secret"))
    yield started
    started.stop()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def to(server: ScriptedServer, **options: object) -> dict[str, object]:
    return {**server.settings, "host": "localhost", **options}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
def test_a_line_is_encrypted_before_the_password_goes_over_it(secure_server: ScriptedServer, security: str) -> None:
    connection = connect(
        to(secure_server, security=security, user="us", password="secret"), own_name="payorcrm.example"
    )

    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.noop()[0] == 250
    connection.quit()


@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(secure_server: ScriptedServer, security: str) -> None:
    with pytest.raises(CannotConnect, match="could not prove who it is"):
        connect(to(secure_server, security=security), own_name="payorcrm.example")


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_named(secure_server: ScriptedServer) -> None:
    with pytest.raises(CannotConnect, match="refused our user name or password"):
        connect(to(secure_server, security="starttls", user="us", password="wrong"), own_name="payorcrm.example")


@pytest.mark.usefixtures("trusted")
def test_tls_from_the_first_byte(context: ssl.SSLContext) -> None:
    server = ScriptedServer(ssl_context=context)

    connection = connect(to(server, security="tls"), own_name="payorcrm.example")

    assert isinstance(connection.sock, ssl.SSLSocket)
    connection.quit()
    server.stop()


def test_a_password_never_goes_over_an_open_line(server: ScriptedServer) -> None:
    with pytest.raises(CannotConnect, match="does not go over an open line"):
        connect({**server.settings, "security": "opportunistic", "user": "us", "password": "x"}, own_name="a.example")


def test_starttls_that_is_not_offered_is_refused(server: ScriptedServer) -> None:
    with pytest.raises(CannotConnect, match="did not answer as expected"):
        connect({**server.settings, "security": "starttls"}, own_name="a.example")


def test_without_any_wish_the_line_stays_open(server: ScriptedServer) -> None:
    connection = connect({**server.settings, "security": "opportunistic"}, own_name="a.example")

    assert not isinstance(connection.sock, ssl.SSLSocket)
    connection.quit()
