"""A token is good for one program, for a limited time, and only if it was made with this user's key."""

import base64
import hashlib
import hmac
import json
import stat
import subprocess
import sys
import time

import jwt
import pytest

from helpers.settings import settings
from helpers.sites.errors import KeyDamaged, TokenRefused
from helpers.sites.tokens import ISSUER, Issuer, check

HERE = "campus-b/pharmacy"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return Issuer(tmp_path_factory.mktemp("tokens"))


def claims(**changes):
    now = time.time()
    return {"iss": ISSUER, "sub": "campus-a", "aud": HERE, "iat": now, "exp": now + 60} | changes


def signed(issuer, given, **headers):
    return jwt.encode(given, issuer._key, algorithm="EdDSA", headers=headers)


def refused(issuer, token, match):
    with pytest.raises(TokenRefused, match=match):
        check(token, issuer.public_key, HERE)


def test_a_good_token_says_who_calls(issuer):
    assert check(issuer.token("campus-a", HERE), issuer.public_key, HERE) == "campus-a"


def test_a_token_of_an_issuer_whose_clock_is_ahead_is_good(issuer):
    assert check(signed(issuer, claims(iat=time.time() + 5)), issuer.public_key, HERE) == "campus-a"


def test_an_expired_token_is_refused_with_the_remedy(issuer):
    refused(issuer, issuer.token("campus-a", HERE, seconds=-1), r"has expired\. Ask the issuer for a new one")


@pytest.mark.parametrize("audience", ["campus-b/record", "campus-a/pharmacy", "campus-b/pharmacy2", ["campus-b"]])
def test_a_token_for_another_program_is_refused(issuer, audience):
    refused(issuer, signed(issuer, claims(aud=audience)), f"for another program than {HERE}")


def test_a_token_of_another_issuers_key_is_refused(issuer, tmp_path):
    other = Issuer(tmp_path)
    assert other.public_key != issuer.public_key
    refused(issuer, other.token("campus-a", HERE), "Signature verification failed")


def test_a_token_that_names_another_issuer_is_refused(issuer):
    refused(issuer, signed(issuer, claims(iss="someone-else")), "not good")


def test_a_token_without_a_signature_is_refused(issuer):
    refused(issuer, jwt.encode(claims(), None, algorithm="none"), "not good")


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(issuer):
    def part(document):
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")

    body = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims())
    mac = hmac.new(issuer.public_key.encode(), body, hashlib.sha256).digest()
    token = (body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
    refused(issuer, token, "not good")


@pytest.mark.parametrize("missing", ["exp", "iat", "sub", "aud", "iss"])
def test_a_token_with_a_claim_missing_is_refused(issuer, missing):
    given = claims()
    del given[missing]
    refused(issuer, signed(issuer, given), f"{missing}|another program")


@pytest.mark.parametrize("changes", [{"exp": "never"}, {"sub": 7}, {"aud": 7}, {"exp": None}, {"nbf": 4_000_000_000}])
def test_a_token_with_an_odd_claim_is_refused(issuer, changes):
    refused(issuer, signed(issuer, claims(**changes)), "The token")


def test_a_token_that_was_altered_is_refused(issuer):
    head, body, signature = issuer.token("campus-a", HERE).split(".")
    altered = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "campus-c"}
    words = base64.urlsafe_b64encode(json.dumps(altered).encode()).rstrip(b"=").decode()
    refused(issuer, f"{head}.{words}.{signature}", "Signature verification failed")


@pytest.mark.parametrize(
    "garbage", ["", ".", "..", "a.b.c", "not a token", "é.é.é", "\0", "x" * 100_000, "e30.e30.e30"]
)
def test_garbage_is_refused(issuer, garbage):
    refused(issuer, garbage, "not good")


def test_the_key_is_readable_by_its_user_only_and_the_same_for_all_who_ask(tmp_path):
    first = Issuer(tmp_path / "tokens")
    assert stat.S_IMODE((tmp_path / "tokens" / "private.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o700
    assert Issuer(tmp_path / "tokens").public_key == first.public_key
    assert "PRIVATE" not in first.public_key


def test_a_key_left_half_written_is_not_used(tmp_path):
    (tmp_path / "private.new").write_text("-----BEGIN PRIV")
    (tmp_path / "private.new").chmod(0o644)
    issuer = Issuer(tmp_path)
    assert check(issuer.token("a", HERE), issuer.public_key, HERE) == "a"
    assert stat.S_IMODE((tmp_path / "private.pem").stat().st_mode) == 0o600


def test_a_key_of_another_kind_is_told_with_the_remedy(tmp_path):
    for content in b"", b"-----BEGIN NOTHING-----":
        (tmp_path / "private.pem").write_bytes(content)
        with pytest.raises(KeyDamaged, match=r"private\.pem holds no key.*Delete it"):
            Issuer(tmp_path)


START = "import sys; from pathlib import Path; from helpers.sites.tokens import Issuer; "
START += "sys.stdin.read(); print(Issuer(Path(sys.argv[1])).public_key)"


def test_starts_at_the_same_time_make_one_key(tmp_path):
    command = [sys.executable, "-c", START, str(tmp_path / "tokens")]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    for each in started:
        each.stdin.close()  # now
    keys = {each.stdout.read() for each in started}
    assert [each.wait() for each in started] == [0] * 6
    assert len(keys) == 1 and keys.pop().startswith("-----BEGIN PUBLIC KEY-----")


def test_the_command_line_prints_a_good_token():
    command = [sys.executable, "-m", "helpers.sites.tokens", HERE, "--subject", "me", "--seconds", "60"]
    token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert check(token, Issuer(settings().cache_dir / "tokens").public_key, HERE) == "me"
