"""What is hidden before it is printed or logged, and what is not."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.redact import (
    HIDDEN,
    hide_secrets,
    hide_url_password,
    masked,
    sounds_secret,
    without_numbers,
)
from tests.slowness import slowness


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "DB_PASSWORD",
        "api_key",
        "apiKey",
        "x-api-key",
        "AWS_SECRET_ACCESS_KEY",
        "aws_access_key_id",
        "authToken",
        "resume_token",
        "Authorization",
        "Set-Cookie",
        "credentials",
    ],
)
def test_these_keys_sound_secret(key: str) -> None:
    assert sounds_secret(key)


@pytest.mark.parametrize(
    "key", ["", "key", "keyterms", "max_tokens", "outputTokens", "tokens", "author", "passed"]
)
def test_these_keys_do_not(key: str) -> None:
    assert not sounds_secret(key)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://user:pw@host:6379/0", "redis://(hidden)@host:6379/0"),
        ("redis://:pw@host", "redis://(hidden)@host"),
        ("see https://a:b@c and ws://d:e@f!", "see https://(hidden)@c and ws://(hidden)@f!"),
        ("redis://u:p@w@host", "redis://(hidden)@host"),
        ("https://host:80/a@b", "https://host:80/a@b"),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        ("https://TOKEN@host/x", "https://(hidden)@host/x"),
        ("redis://:p/w#x?@host:1/0", "redis://(hidden)@host:1/0"),
        ("redis:/user:pw@host", "redis:/(hidden)@host"),
        ("/x?token=abc&page=2", "/x?token=(hidden)&page=2"),
        (
            "https://h/?api%5Fkey=abc#access_token=z",
            "https://h/?api%5Fkey=(hidden)#access_token=(hidden)",
        ),
        ("https://h?X-Amz-Signature=ab12&q=1", "https://h?X-Amz-Signature=(hidden)&q=1"),
        ("wss://h/media?call_id=CA1&max_tokens=2", "wss://h/media?call_id=CA1&max_tokens=2"),
        ("call a:b@c", "call a:b@c"),
    ],
)
def test_passwords_in_urls_are_hidden(text: str, shown: str) -> None:
    assert hide_url_password(text) == shown


def test_secrets_are_hidden_at_any_depth_and_the_value_is_left_as_it_was() -> None:
    value = {"a": [{"password": "x", "b": ("redis://u:p@h",)}], "token": {"c": "x"}, 5: "y"}
    before = repr(value)
    assert hide_secrets(value) == {
        "a": [{"password": HIDDEN, "b": ["redis://(hidden)@h"]}],
        "token": HIDDEN,
        "5": "y",
    }
    assert repr(value) == before


def test_a_plain_value_is_hidden_by_the_name_it_stands_under() -> None:
    assert hide_secrets("x", "secret") == HIDDEN
    assert hide_secrets("x", "text") == "x"


@pytest.mark.parametrize("number", [None, True, 3, 1.5])
def test_numbers_are_always_shown(number: Any) -> None:
    assert hide_secrets(number, "first_token_ms") is number


def test_what_contains_itself_is_cut() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    assert "…" in repr(hide_secrets(loop))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_nothing_that_stands_under_a_secret_key_gets_out(value: object) -> None:
    assert "hunter2" not in repr(hide_secrets({"x": value, "api_key": ["hunter2", value]}))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+14155550123", "…23"),
        ("", "withheld"),
        ("sip:anna@example.org", HIDDEN),
        ("1234", HIDDEN),
        ("anonymous", HIDDEN),
    ],
)
def test_a_callers_number_is_shown_by_its_last_two_figures(number: str, shown: str) -> None:
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("+1 (415) 555-0123", "(number)"),
        ("My number is 030/1234567.", "My number is (number)."),
        ("4111-1111-1111-1111 until 11/27", "(number) until 11/27"),
        ("a.b+c@mail.example.org or x@y", "(address) or x@y"),
        ("Call 415 - 555 - 0123.", "Call (number)."),
        ("4111\u00a01111\u202f1111\u20111111", "(number)"),
        ("1" * 40, "(number)"),
        ("jürgen@müller.example", "(address)"),
        ("At 9.30, room 1204, for 1,200 dollars", "At 9.30, room 1204, for 1,200 dollars"),
        ("Order A12345B of 12 items", "Order A12345B of 12 items"),
        ("", ""),
    ],
)
def test_what_was_said_is_told_without_numbers_and_addresses(said: str, left: str) -> None:
    assert without_numbers(said) == left


def test_a_long_text_without_end_is_read_in_a_moment() -> None:
    for text in ("1 " * 50_000, "a." * 50_000 + "@", "+(" * 50_000):
        began = time.perf_counter()
        without_numbers(text)
        assert time.perf_counter() - began < 1.0 * slowness()
