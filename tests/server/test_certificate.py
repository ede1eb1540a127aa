"""`tulliana doctor` looks at the certificate of the https address before phones do."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.certificate import valid_until
from server.commands.doctor import _certificate

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "station")])


def make_certificate(folder: Path, days: float) -> tuple[Path, datetime]:
    """A certificate for 127.0.0.1 that ends in so many days, its key in the same file; and when it ends."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC).replace(microsecond=0)
    end = now + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - timedelta(days=60)).not_valid_after(end)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "station.pem").write_bytes(pem)
    return folder / "station.pem", end


@contextmanager
def https(certificate: Path) -> Iterator[str]:
    """A server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            with suppress(OSError), listening.accept()[0] as accepted, context.wrap_socket(accepted, server_side=True):
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(("days", "is_told"), [(60, False), (13, True)])
def test_t184_a_certificate_about_to_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, is_told: bool
) -> None:
    certificate, end = make_certificate(tmp_path, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with https(certificate) as url:
        assert valid_until(url) == end
    with https(certificate) as url:
        finding = _certificate(url)
    assert f"{end:%Y-%m-%d}" in finding.state
    assert ("http address keeps working" in finding.remedy) == is_told


@pytest.mark.parametrize("days", [60, -1])
def test_what_phones_would_refuse_is_told(tmp_path: Path, days: float) -> None:
    certificate, _ = make_certificate(tmp_path, days)
    with https(certificate) as url:
        assert "Phones would refuse" in _certificate(url).remedy
    assert "Phones would refuse" in _certificate("https://127.0.0.1:1").remedy
