"""The secret between two nodes: who gets an answer, and who is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from aybiza.actors.node.channel import (
    KNOCK_BYTES,
    Channel,
    ChannelFailed,
    OutOfDate,
    Secrets,
)
from aybiza.actors.node.messages import OwnCertificate

COOKIE, OTHER = b"4fd1a0c37be952e8", b"9ab7c4e1f02d6835"
SECRETS = Secrets(COOKIE)


def joined(dialling: Channel, answering: Channel) -> tuple[Channel, Channel]:
    """Both ends, after so much of the handshake as they do."""
    dialling.feed(b"")
    for _ in range(4):
        answering.feed(dialling.take())
        dialling.feed(answering.take())
    return dialling, answering


def met(dialling: Secrets, answering: Secrets) -> tuple[Channel, Channel]:
    answer = answering.answer(dialling.knock())
    assert answer is not None
    return joined(dialling.dial(), answer)


def test_two_nodes_with_one_cookie_understand_each_other() -> None:
    one, other = met(SECRETS, Secrets(COOKIE))
    assert one.open and other.open
    one.seal(b"words")
    assert other.feed(one.take()) == b"words"
    other.seal(b"x" * 1_000_000)
    assert one.feed(other.take()) == b"x" * 1_000_000


def test_a_knock_without_the_cookie_is_nobodys() -> None:
    knock = SECRETS.knock()
    assert SECRETS.answer(Secrets(OTHER).knock()) is None
    assert SECRETS.answer(bytes(KNOCK_BYTES)) is None
    for place in (0, 20, KNOCK_BYTES - 1):
        changed = bytearray(knock)
        changed[place] ^= 1
        assert SECRETS.answer(bytes(changed)) is None


def test_no_two_knocks_are_alike() -> None:
    assert len({SECRETS.knock() for _ in range(100)}) == 100


def test_who_shows_a_recorded_knock_comes_no_further_than_the_handshake() -> None:
    answer = SECRETS.answer(SECRETS.knock())
    assert answer is not None
    stranger = Secrets(OTHER)
    with pytest.raises(ChannelFailed, match=r"(?i)certificate|verify"):
        joined(stranger.dial(), answer)
    assert not answer.open


def test_bytes_that_are_no_tls_end_the_channel() -> None:
    answer = SECRETS.answer(SECRETS.knock())
    assert answer is not None
    with pytest.raises(ChannelFailed):
        answer.feed(b"GET / HTTP/1.1\r\n\r\n" * 10)
    one, other = met(SECRETS, SECRETS)
    one.seal(b"words")
    changed = bytearray(one.take())
    changed[-1] ^= 1
    with pytest.raises(ChannelFailed):
        other.feed(bytes(changed))


def test_what_was_said_before_is_nothing_when_it_is_said_again() -> None:
    one, other = met(SECRETS, SECRETS)
    one.seal(b"words")
    recorded = one.take()
    assert other.feed(recorded) == b"words"
    with pytest.raises(ChannelFailed):
        other.feed(recorded)


@pytest.mark.parametrize(
    ("dialling", "answering"),
    [
        (COOKIE, COOKIE + b"\n" + OTHER),
        (COOKIE + b"\n" + OTHER, OTHER + b"\n" + COOKIE),
        (OTHER + b"\n" + COOKIE, COOKIE + b"\n" + OTHER),
        (OTHER + b"\n" + COOKIE, OTHER),
    ],
)
def test_nodes_a_step_apart_in_the_change_of_a_cookie_meet(
    dialling: bytes, answering: bytes
) -> None:
    one, other = met(Secrets(dialling), Secrets(answering))
    assert one.open and other.open


def own(folder: Path, authority: trustme.CA) -> OwnCertificate:
    issued = authority.issue_cert("node.example")
    made = OwnCertificate(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(made.certificate)
    issued.private_key_pem.write_to_path(made.key)
    authority.cert_pem.write_to_path(made.authority)
    return made


def test_an_operators_own_certificates_are_taken_of_their_authority_only(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    folders = [tmp_path / name for name in ("one", "other", "stranger")]
    for folder in folders:
        folder.mkdir()
    one, other = (Secrets(COOKIE, own(folder, ours)) for folder in folders[:2])
    assert all(end.open for end in met(one, other))
    stranger = Secrets(COOKIE, own(folders[2], theirs))
    with pytest.raises(ChannelFailed):
        met(stranger, other)
    with pytest.raises(ChannelFailed):
        met(SECRETS, other)
    assert other.answer(Secrets(OTHER, own(folders[0], ours)).knock()) is None


def test_a_certificate_that_no_node_would_take_is_found_out_alone(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    SECRETS.try_out()
    mine = own(tmp_path, ours)
    Secrets(COOKIE, mine).try_out()
    theirs.cert_pem.write_to_path(mine.authority)
    with pytest.raises(ChannelFailed, match="unable to get local issuer certificate"):
        Secrets(COOKIE, mine).try_out()


@pytest.mark.parametrize("days", [(-3, -1), (1, 3)])
def test_a_certificate_that_is_out_of_date_is_told_from_others(
    tmp_path: Path, days: tuple[int, int]
) -> None:
    authority = trustme.CA()
    mine = own(tmp_path, authority)
    begin, end = (datetime.now(UTC) + timedelta(days=each) for each in days)
    issued = authority.issue_cert("node.example", not_before=begin, not_after=end)
    issued.cert_chain_pems[0].write_to_path(mine.certificate)
    issued.private_key_pem.write_to_path(mine.key)
    with pytest.raises(OutOfDate, match="certificate"):
        Secrets(COOKIE, mine).try_out()


def test_nobody_is_asked_for_the_pass_phrase_of_a_key(tmp_path: Path) -> None:
    mine = own(tmp_path, trustme.CA())
    key = load_pem_private_key(mine.key.read_bytes(), None)
    locked = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass phrase")
    )
    mine.key.write_bytes(locked)
    with pytest.raises(ValueError, match="its key is encrypted"):
        Secrets(COOKIE, mine)


def test_no_key_is_left_on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Secrets(OTHER)
    assert list(tmp_path.iterdir()) == []
