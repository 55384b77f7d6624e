"""Text as a voice should read it: the specification's recorded cases, and what runs."""

from __future__ import annotations

import doctest
import json
import timeit
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech import spoken_text, spoken_words
from aybiza.speech.spoken_text import optimize_text_for_speech, spoken, warm
from aybiza.speech.spoken_words import LANGUAGES
from tests.cases import each

TABLE = tomllib.loads(Path(__file__).with_name("spoken_pairs.toml").read_text(encoding="utf-8"))
PAIRS = [
    pytest.param(text, said, group["language"], id=f"{group['name']}: {text}")
    for group in TABLE["group"]
    for text, said in group["pairs"]
]
NEVER_ALOUD = ("**", "`", "](", "[", "]", "https://", "😊", "</", "\n", "~~")

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fn_optimize_text_for_speech.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]


def test_there_are_recorded_cases() -> None:
    assert len(CASES) > 100


@each(pytest.param(case, id=f"case{n}") for n, case in enumerate(CASES))
def test_the_specifications_function_answers_as_recorded(case: dict[str, Any]) -> None:
    assert optimize_text_for_speech(case["input"]["text"]) == case["output"]


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert isinstance(optimize_text_for_speech(text), str)
    assert isinstance(spoken(text), str)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("Hello.\n\nHow  are\u00a0you? ", "Hello. How are you?"),
        ("Your ID, please.", "Your I-D, please."),
        ("Two IDs and an API.", "Two I-Ds and an A-P-I."),
        ("See the FAQ.", "See the F-A-Q."),
        ("The ID is ID-7741.", "The I-D is ID-7741."),
        ("Idaho, PAID, URLOPEN, api", "Idaho, PAID, URLOPEN, api"),
        ("/v1/API/x and a.URL.b", "/v1/API/x and a.URL.b"),
        ("Die ID für die Ämter", "Die I-D für die Ämter"),
    ],
)
def test_acronyms_are_spelled_out_where_they_are_words(text: str, said: str) -> None:
    assert spoken(text) == said


@given(st.text())
def test_spoken_text_is_one_line_without_double_blanks(text: str) -> None:
    assert spoken(text).split() == spoken(text).split(" ") or spoken(text) == ""


@each(PAIRS)
def test_what_is_written_is_said_as_people_say_it(text: str, said: str, language: str) -> None:
    assert spoken(text, language) == said


@pytest.mark.parametrize("language", ["nl", "pt-BR"])
def test_what_is_warm_has_read_all_that_a_text_may_ask_for(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(language)
    for name in ("format_unit", "get_currency_name"):
        monkeypatch.setattr(spoken_words, name, None)
    assert spoken("5 km, CHF 20, 45,50 €, 20 °C", language)


def test_the_table_is_large_and_knows_every_language() -> None:
    assert len(PAIRS) >= 500
    assert {group["language"][:2] for group in TABLE["group"]} == set(LANGUAGES)


@given(
    st.lists(
        st.sampled_from(
            [
                *NEVER_ALOUD,
                "Monday",
                " ",
                "5",
                "(https://a.example)",
                "*",
                "_",
                "#",
                "- ",
                "|",
                "<b>",
            ]
        )
    ).map("".join)
)
def test_nothing_that_is_for_the_eye_is_ever_said(text: str) -> None:
    said = spoken(text)
    assert not [sign for sign in NEVER_ALOUD if sign in said]
    assert said == "" or any(map(str.isalnum, said))


@given(st.lists(st.sampled_from(["Monday", "works", "for", "me", "and", "you,", "too."])))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert spoken(" ".join(words)) == " ".join(words)


def test_a_text_as_long_as_a_sentence_may_be_is_ready_within_the_loops_patience() -> None:
    worst = max(
        timeit.timeit(partial(spoken, (sign * 300)[:300]), number=3) / 3
        for sign in ("a.", "1-", "A1", "[", "<a ", "*", "| ", "$", "1,", "http://a")
    )
    usual = timeit.timeit(partial(" ".join, "word" * 300), number=300) / 300
    assert worst < max(0.01, 2000 * usual)


def test_the_examples_hold() -> None:
    ran = doctest.testmod(spoken_text)
    assert ran.attempted > 0
    assert ran.failed == 0
