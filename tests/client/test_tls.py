"""https: verified, and the token goes to nobody else."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opsclient import KillSwitch, OpsConsole

from tests.client.console_server import ConsoleServer, eventually


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 signed by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "console")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "console.pem"
    path.write_bytes(key.private_bytes(encoding, *plain) + made.public_bytes(encoding))
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[ConsoleServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    console = ConsoleServer(tls=context)
    console.start()
    yield console
    console.stop()


def test_an_unknown_certificate_is_refused_before_the_token_is_sent(server: ConsoleServer) -> None:
    with OpsConsole(server.url, token=server.token, name="AAPL") as console:
        eventually(lambda: "certificate verify failed" in console.problem)
        assert KillSwitch(console).activate_sync("MANUAL", "m")["delivered"] is False
    assert server.streams == []
    assert server.posts == []


def test_a_certificate_of_ones_own(server: ConsoleServer, certificate: Path) -> None:
    with OpsConsole(server.url, token=server.token, name="AAPL", verify=certificate) as console:
        assert console.wait_until_live()
        server.wait_acked(server.halt())
        assert not KillSwitch(console).is_trading_allowed()
