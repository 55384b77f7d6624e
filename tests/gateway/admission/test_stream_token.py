"""Stream tokens: one call, one use, one minute, any node of the cluster."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.admission.stream_token import LIFE_SECONDS, StreamTokens, derived_key, hkdf

KEY = derived_key(b"a cookie of the cluster")


class Clock:
    """A wall clock that is set by hand."""

    now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> StreamTokens:
    return StreamTokens(KEY, clock)


def test_a_token_is_taken_once(tokens: StreamTokens) -> None:
    token = tokens.issue("CA1")
    assert tokens.refusal(token, "CA1") is None
    assert tokens.refusal(token, "CA1") == "used"


def test_each_answer_to_a_webhook_has_a_token_of_its_own(tokens: StreamTokens) -> None:
    first, again = tokens.issue("CA1"), tokens.issue("CA1")
    assert first != again
    assert tokens.refusal(again, "CA1") is None
    assert tokens.refusal(first, "CA1") is None


def test_a_token_is_for_its_own_call(tokens: StreamTokens) -> None:
    token = tokens.issue("CA1")
    assert tokens.refusal(token, "CA2") == "forged"
    assert tokens.refusal(token, "CA1") is None


def test_a_token_lives_for_a_minute(tokens: StreamTokens, clock: Clock) -> None:
    early, late = tokens.issue("CA1"), tokens.issue("CA1")
    clock.now += LIFE_SECONDS - 0.1
    assert tokens.refusal(early, "CA1") is None
    clock.now += 0.1
    assert tokens.refusal(late, "CA1") == "expired"
    assert tokens.refusal(early, "CA1") == "expired"


def test_another_node_with_the_cookie_takes_it_and_one_without_does_not(
    tokens: StreamTokens, clock: Clock
) -> None:
    token = tokens.issue("CA1")
    assert StreamTokens(derived_key(b"another cookie"), clock).refusal(token, "CA1") == "forged"
    assert StreamTokens(KEY, clock).refusal(token, "CA1") is None


@pytest.mark.parametrize("more", ["=", "==", "A===", "\n", " "])
def test_a_token_is_written_in_one_way(clock: Clock, more: str) -> None:
    tokens = StreamTokens(KEY, clock)
    assert tokens.refusal(tokens.issue("CA1") + more, "CA1") == "forged"


def test_a_token_of_the_key_that_is_being_changed_is_taken_too(clock: Clock) -> None:
    old, new = KEY, derived_key(b"the new cookie")
    before, between = StreamTokens(old, clock, also=[new]), StreamTokens(new, clock, also=[old])
    assert between.refusal(before.issue("CA1"), "CA1") is None
    assert before.refusal(between.issue("CA1"), "CA1") is None
    assert StreamTokens(new, clock).refusal(between.issue("CA1"), "CA1") is None
    assert StreamTokens(new, clock).refusal(before.issue("CA1"), "CA1") == "forged"


def test_used_tokens_are_forgotten_when_they_have_expired(
    tokens: StreamTokens, clock: Clock
) -> None:
    for _ in range(100):
        assert tokens.refusal(tokens.issue("CA1"), "CA1") is None
    assert len(tokens._used) == 100
    clock.now += LIFE_SECONDS
    assert tokens.refusal(tokens.issue("CA1"), "CA1") is None
    assert len(tokens._used) == 1


@given(st.text())
def test_what_nobody_has_issued_is_refused(text: str) -> None:
    assert StreamTokens(KEY).refusal(text, "CA1") == ("forged" if text else "missing")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_of_a_token_can_be_changed(place: int, change: int) -> None:
    tokens = StreamTokens(KEY)
    data = bytearray(base64.urlsafe_b64decode(tokens.issue("CA1")))
    data[place % len(data)] ^= change
    assert tokens.refusal(base64.urlsafe_b64encode(data).decode(), "CA1") == "forged"


def test_keys_are_derived_by_hkdf() -> None:
    # RFC 5869, test case 3: no salt, no info; its first 32 bytes.
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert hkdf(b"\x0b" * 22, b"").hex() == expected
    assert derived_key(b"one") != derived_key(b"two")
