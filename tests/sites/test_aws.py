"""On the aws profile programs run elsewhere: nothing is started, and the link leads to where they are."""

import datetime
import ipaddress
import json
import ssl

import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from helpers.settings import SettingsError, settings
from helpers.sites.errors import LeftTheSite, ProgramFailed
from tests.sites.conftest import hello
from tests.waiting import until

A, B = "campus-a", "campus-b"


@pytest.fixture
def on_aws(monkeypatch):
    """Sets the profile, and where programs run."""

    def choose(**apps):
        monkeypatch.setenv("WORKSHOP_PROFILE", "aws")
        monkeypatch.setenv("WORKSHOP_APPS", json.dumps({f"{B}/{name}": url for name, url in apps.items()}))
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


def get(url):
    return httpx.get(url, trust_env=False, timeout=20)


def test_nothing_is_started_and_the_program_is_where_the_settings_say(network, upstream, on_aws):
    on_aws(pharmacy=f"http://127.0.0.1:{upstream(hello)}/v1/")
    made = network({"patient": ["P-1001"]})
    before = psutil.Process().children(recursive=True)
    program = made[B].start("pharmacy")
    assert program.url.endswith("/v1") and program.url_from(B) == program.url and program.running
    assert psutil.Process().children(recursive=True) == before
    assert get(f"{program.url_from(A)}/P-1001").text == "hello"
    with pytest.raises(LeftTheSite, match=r"GET /v1/\[patient\]"):
        made.ledger.assert_never_left(A, "patient")


def test_a_program_whose_address_is_missing_is_told_with_the_setting(network, on_aws):
    on_aws(record="http://127.0.0.1:9")
    with pytest.raises(SettingsError, match=r"WORKSHOP_APPS does not say where campus-b/pharmacy runs"):
        network()[B].start("pharmacy")


def test_a_program_that_runs_elsewhere_cannot_be_ended_here(network, on_aws):
    on_aws(pharmacy="http://127.0.0.1:9")
    program = network()[B].start("pharmacy")
    assert not program.running and program.log() == ""
    for end in program.stop, program.kill:
        with pytest.raises(ProgramFailed, match=r"runs at http://127\.0\.0\.1:9, not on this machine"):
            end()
    assert network()[B].start("pharmacy").url == program.url


def test_real_links_have_their_own_latency_and_can_still_be_cut(network, upstream, on_aws):
    on_aws(pharmacy=f"http://127.0.0.1:{upstream(hello)}")
    made = network(latency_ms=5000, bandwidth_mbit=1)
    link = made.link(A, B)
    assert (link.conditions.latency_ms, link.conditions.bandwidth_mbit) == (0, None)
    url = made[B].start("pharmacy").url_from(A)
    assert get(url).text == "hello"
    link.cut()
    with pytest.raises(httpx.TransportError):
        get(url)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for loopback, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a campus")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture
def behind_tls(upstream, certificate):
    """A server that speaks TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return f"https://127.0.0.1:{upstream(lambda connection: hello(context.wrap_socket(connection, server_side=True)))}"


def test_a_program_behind_tls_is_reached_without_and_the_ledger_reads_what_crosses(
    network, behind_tls, certificate, on_aws, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    on_aws(pharmacy=behind_tls)
    made = network({"patient": ["P-1001"]})
    url = made[B].start("pharmacy").url_from(A)
    assert url.startswith("http://") and get(f"{url}/P-1001").text == "hello"
    with pytest.raises(LeftTheSite, match=r"1 in GET /\[patient\]"):
        made.ledger.assert_never_left(A, "patient")
    assert get(url).text == "hello" and made.ledger.assert_never_left(B, "patient") == 2
    links = psutil.Process(made._links._process.pid)
    until(lambda: {each.status for each in links.net_connections("inet")} == {psutil.CONN_LISTEN})


def test_a_certificate_that_nobody_vouches_for_breaks_the_connection_off(network, behind_tls, on_aws):
    on_aws(pharmacy=behind_tls)
    with pytest.raises(httpx.TransportError):
        get(network()[B].start("pharmacy").url_from(A))
