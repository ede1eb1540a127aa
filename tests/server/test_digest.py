"""Digest authentication against an independent client (requests), and what it must forgive and must not."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.auth import HTTPDigestAuth
from werkzeug.datastructures import Authorization

from server import digest
from server.digest import NONCE_SECONDS, Digest, Target, Verdict, challenge, ha1

NOW = 1_777_700_000.0
LIST = "http://station.example/formList?deviceID=collect%3Aa1B2c3D4e5F6g7H8"
TARGET = Target.of("/formList?deviceID=collect%3Aa1B2c3D4e5F6g7H8")
PASSWORDS = {"ranger-1": "abcd-efgh"}
DIGEST = Digest(b"secret")


def ha1_of(username: str) -> str | None:
    return ha1(username, PASSWORDS[username]) if username in PASSWORDS else None


def answer(
    verdict: Verdict, username: str = "ranger-1", password: str = "abcd-efgh", *, method: str = "GET", url: str = LIST
) -> str:
    """The Authorization header that requests makes for this challenge."""
    client: Any = HTTPDigestAuth(username, password)
    client.init_per_thread_state()
    pattern = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]+))')
    client._thread_local.chal = {name: quoted or bare for name, quoted, bare in pattern.findall(challenge(verdict))}
    header: str = client.build_digest_header(method, url)
    return header


def judged(header: str, *, method: str = "GET", target: Target = TARGET, now: float = NOW, door: Digest = DIGEST) -> Verdict:
    return door.verify(Authorization.from_header(header), method, target, ha1_of, now)


def asked(now: float = NOW) -> Verdict:
    return DIGEST.verify(None, "GET", TARGET, ha1_of, now)


def test_the_right_password_is_taken() -> None:
    assert judged(answer(asked())).username == "ranger-1"


@given(st.integers(0, NONCE_SECONDS), st.sampled_from(["GET", "HEAD", "POST"]), st.text("ab/%2F?=&", max_size=12))
def test_requests_and_this_door_understand_each_other(age: int, method: str, rest: str) -> None:
    url = f"http://station.example/formList/{rest}"
    header = answer(asked(NOW - age), method=method, url=url)
    uri = re.search(r'uri="([^"]*)"', header)
    assert uri
    assert judged(header, method=method, target=Target.of(uri[1])).username == "ranger-1"


@pytest.mark.parametrize(("username", "password"), [("ranger-1", "wrong"), ("nobody", "abcd-efgh"), ("", ""), ("ranger-1", "")])
def test_a_wrong_password_is_refused_with_the_same_nonce(username: str, password: str) -> None:
    """A client that gets another nonce tries again, without end."""
    first = asked()
    verdict = judged(answer(first, username, password))
    assert (verdict.username, verdict.nonce, verdict.is_stale) == ("", first.nonce, False)


def test_an_old_nonce_is_called_stale_only_if_the_password_is_right() -> None:
    later = NOW + NONCE_SECONDS + 1
    old = asked()
    stale = judged(answer(old), now=later)
    assert (stale.username, stale.is_stale) == ("", True)
    assert "stale=true" in challenge(stale)
    assert judged(answer(stale), now=later).username == "ranger-1"
    assert judged(answer(old, password="wrong"), now=later).is_stale is False


def test_another_worker_and_a_restart_take_the_nonce() -> None:
    assert judged(answer(asked()), door=Digest(b"secret")).username == "ranger-1"


def test_a_nonce_with_another_seal_is_stale() -> None:
    assert judged(answer(asked()), door=Digest(b"other")).is_stale


@given(st.text(max_size=60))
def test_no_nonce_can_be_made_up(nonce: str) -> None:
    header = answer(Verdict("", nonce.replace('"', "").replace("\\", "")))
    assert judged(header).username == ""


def test_a_nonce_lasts_an_hour_and_longer_but_not_from_tomorrow() -> None:
    assert NONCE_SECONDS >= 3600
    assert judged(answer(asked()), now=NOW + 3600).username == "ranger-1"
    assert judged(answer(asked(NOW + 200)), now=NOW).username == "ranger-1"
    assert judged(answer(asked(NOW + 86400)), now=NOW).is_stale


def test_counts_with_gaps_and_out_of_order_are_taken() -> None:
    client: Any = HTTPDigestAuth("ranger-1", "abcd-efgh")
    client.init_per_thread_state()
    client._thread_local.chal = {"realm": digest.REALM, "nonce": asked().nonce, "qop": "auth", "algorithm": "MD5"}
    headers = [client.build_digest_header("GET", LIST) for _ in range(200)]
    for header in [*headers[::7], *headers[:3]]:
        assert judged(header).username == "ranger-1"


@pytest.mark.parametrize(
    "other",
    [
        "/formList",
        "/formList?deviceID=x",
        "/submission?deviceID=collect%3Aa1B2c3D4e5F6g7H8",
        "/formList?deviceID=collect:a1B2c3D4e5F6g7H8",
    ],
)
def test_the_answer_holds_for_the_whole_target_only(other: str) -> None:
    assert judged(answer(asked()), target=Target.of(other)).username == ""


def test_the_answer_holds_for_the_method_only() -> None:
    assert judged(answer(asked()), method="POST").username == ""


@pytest.mark.parametrize(("one", "other"), [("//formList", "/formList"), ("/f%C3%A9%2Fx", "/fé/x")])
def test_one_target_may_be_written_in_two_ways(one: str, other: str) -> None:
    assert Target.of(one) == Target.of(other)


def test_the_session_variant_is_understood() -> None:
    client: Any = HTTPDigestAuth("ranger-1", "abcd-efgh")
    client.init_per_thread_state()
    client._thread_local.chal = {"realm": digest.REALM, "nonce": asked().nonce, "qop": "auth", "algorithm": "MD5-SESS"}
    header = client.build_digest_header("GET", LIST)
    assert judged(header.replace('algorithm="MD5-SESS"', "algorithm=MD5-sess")).username == "ranger-1"


def test_the_example_of_the_standard_is_right() -> None:
    """RFC 7616, section 3.9.1; its nonce is not ours, so a right answer is called stale."""
    header = (
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", '
        'qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    with patch.object(digest, "REALM", "http-auth@example.org"):
        kept = {"Mufasa": ha1("Mufasa", "Circle of Life")}
        verdict = DIGEST.verify(Authorization.from_header(header), "GET", Target.of("/dir/index.html"), kept.get, NOW)
    assert verdict.is_stale


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.replace(f'realm="{digest.REALM}"', 'realm="other"'),
        lambda header: header.replace('qop="auth"', 'qop="auth-int"'),
        lambda header: header.replace('qop="auth", ', ""),
        lambda header: header.replace('algorithm="MD5"', 'algorithm="SHA-512"'),
        lambda header: header.replace("cnonce=", "cnonse="),
        lambda header: header.replace("nc=", "nd="),
        lambda header: re.sub(r'response="[^"]*"', 'response="é"', header),
        lambda header: re.sub(r'response="[^"]*"', "", header),
        lambda header: re.sub(r'nonce="[^"]*", ', "", header, count=1),
        lambda header: "Digest",
        lambda header: "Digest x",
        lambda header: "Basic cmFuZ2VyLTE6YWJjZC1lZmdo",
        lambda header: "Bearer x",
    ],
)
def test_what_is_not_a_right_answer_is_asked_again(change: Callable[[str], str]) -> None:
    header = change(answer(asked()))
    verdict = judged(header)
    assert (verdict.username, verdict.is_stale) == ("", False)
    assert verdict.nonce


@given(st.text(max_size=80))
def test_no_header_does_harm(text: str) -> None:
    for start, end in product(["", "Digest ", 'Digest username="'], ["", '"']):
        assert judged(f"{start}{text}{end}").username == ""


def test_the_challenge_is_one_that_phones_take() -> None:  # T180: UTF-8, though passwords are made of ASCII
    assert re.fullmatch(
        r'Digest realm="Tulliana", qop="auth", nonce="[\w-]+", algorithm=MD5, charset="UTF-8"',
        challenge(asked()),
        re.ASCII,
    )
