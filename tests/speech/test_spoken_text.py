"""Text as a voice should read it: the specification's recorded cases, and what runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.spoken_text import optimize_text_for_speech, spoken

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fn_optimize_text_for_speech.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]


def test_there_are_recorded_cases() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=[f"case{n}" for n in range(len(CASES))])
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
        ("Mail me at me@API.example", "Mail me at me@API.example"),
        ("/v1/API/x and a.URL.b", "/v1/API/x and a.URL.b"),
        ("Die ID für die Ämter", "Die I-D für die Ämter"),
    ],
)
def test_acronyms_are_spelled_out_where_they_are_words(text: str, said: str) -> None:
    assert spoken(text) == said


@given(st.text())
def test_spoken_text_is_one_line_without_double_blanks(text: str) -> None:
    assert spoken(text).split() == spoken(text).split(" ") or spoken(text) == ""
