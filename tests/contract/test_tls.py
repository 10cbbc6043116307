"""TLS: served, and renewed without a restart; a broken pair keeps the old one."""

import datetime
import os
import signal
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import raw
from harness.gateway import REPOSITORY, Gateway


def certificate(name):
    """A self-signed certificate for localhost whose common name tells it from others."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def put(folder, pair):
    for name, content in zip(("certificate.pem", "key.pem"), pair):
        new = folder / f"{name}.new"
        new.write_bytes(content)
        new.chmod(0o600)
        new.rename(folder / name)


@pytest.fixture
def gateway(tmp_path):
    put(tmp_path, certificate("first"))
    started = Gateway(
        tmp_path,
        configuration={
            "CALLGATE_SERVER__TLS_CERTIFICATE": str(tmp_path / "certificate.pem"),
            "CALLGATE_SERVER__TLS_KEY": str(tmp_path / "key.pem"),
        },
    ).start()
    yield started
    started.stop()


def served(gateway):
    """The common name of the certificate that a new connection gets."""
    with raw.connect(gateway.endpoint) as connection:
        found = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
    return found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def test_a_renewed_certificate_is_taken_up(gateway, tmp_path):
    assert gateway.endpoint.startswith("https://")
    assert raw.exchange(gateway.endpoint, "GET", "/healthz").status == 200
    assert served(gateway) == "first"
    with raw.connect(gateway.endpoint) as old:
        put(tmp_path, certificate("second"))
        gateway.process.send_signal(signal.SIGHUP)
        raw.eventually(lambda: served(gateway) == "second")
        # Who is connected stays connected.
        old.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.read_answer(old).status == 200


def test_a_changed_file_is_taken_up_without_a_signal(gateway, tmp_path):
    put(tmp_path, certificate("noticed"))
    raw.eventually(lambda: served(gateway) == "noticed", seconds=20)


def test_a_broken_pair_keeps_the_old_one_and_says_so(gateway, tmp_path):
    good, other = certificate("good"), certificate("other")
    put(tmp_path, (good[0], other[1]))
    gateway.process.send_signal(signal.SIGHUP)
    raw.eventually(lambda: "certificate" in gateway.log_text().lower())
    assert served(gateway) == "first"
    put(tmp_path, good)
    gateway.process.send_signal(signal.SIGHUP)
    raw.eventually(lambda: served(gateway) == "good")


def test_http_2_and_old_tls(gateway):
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with raw.connect(gateway.endpoint, context=context) as connection:
        assert connection.selected_alpn_protocol() == "h2"
    context = ssl._create_unverified_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        raw.connect(gateway.endpoint, context=context)


def test_the_desks_certificate_is_believed_by_whoever_trusts_its_authority(tmp_path):
    """The lines of docs/clients.md, as they stand there but for the desk's address."""
    lines = (REPOSITORY / "docs/clients.md").read_text().split("```sh\nADDRESS=")[1].split("```")[0].split("\n", 1)[1]
    subprocess.run(["bash", "-euc", lines], cwd=tmp_path, env={**os.environ, "ADDRESS": "127.0.0.1"}, check=True, capture_output=True)
    started = Gateway(
        tmp_path,
        configuration={
            "CALLGATE_SERVER__TLS_CERTIFICATE": str(tmp_path / "gate.pem"),
            "CALLGATE_SERVER__TLS_KEY": str(tmp_path / "gate.key"),
        },
    ).start()
    believes = ssl.create_default_context(cafile=tmp_path / "desk_ca.pem")
    # As strict as phones are: extensions that must be there, and nothing that must not.
    believes.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        answer = raw.read_answer(asked(started, believes))
        assert answer.status == 200, answer
        with pytest.raises(ssl.SSLCertVerificationError):
            asked(started, ssl.create_default_context())
    finally:
        started.stop()


def asked(gateway, context):
    connection = raw.connect(gateway.endpoint, context=context)
    connection.sendall(raw.head("GET", "/healthz", "gate.local", {"Connection": "close"}))
    return connection
