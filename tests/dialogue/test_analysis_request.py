"""What a model is asked about a call, and what its answer has to be."""

from __future__ import annotations

import json

from aybiza.config.analysis import Analysis
from aybiza.dialogue.analysis_request import SUMMARY_CHARACTERS, Found, Unfit, Wanted, messages
from tests.cases import each

SEATS = {
    "type": "object",
    "properties": {"seats": {"$ref": "#/$defs/count"}},
    "required": ["seats"],
    "$defs": {"count": {"type": "integer", "minimum": 1}},
}


def wanted(**fields: object) -> Wanted:
    made = Wanted.of(Analysis.model_validate({"data": SEATS, **fields}))
    assert made is not None
    return made


@each(
    [
        ('{"summary": " Two. ", "data": {"seats": 2}}', Found("Two.", {"seats": 2})),
        (
            'Here:\n```json\n{"summary": "Two.", "data": {"seats": 2}}\n```',
            Found("Two.", {"seats": 2}),
        ),
        ('{"summary": "Two.", "data": {"seats": 0}}', "seats: 0 is less than the minimum of 1"),
        ('{"summary": "Two.", "data": {}}', "'seats' is a required property"),
        ('{"summary": "Two."}', "`data` does not fit the schema: it is missing"),
        ('{"summary": "", "data": {"seats": 2}}', "`summary` is missing"),
        ('{"data": {"seats": 2}}', "`summary` is missing"),
        ('In {braces}: {"summary": "Two.", "data": {"seats": 2}}', Found("Two.", {"seats": 2})),
        ('{"summary": "Two.", "data": {"seats": 2}} (see {a})', Found("Two.", {"seats": 2})),
        ('{"summary": "Two.", "data": {"seats": NaN}}', "no JSON object"),
        ('{"summary": "Two.", "data": {"seats": Infinity}}', "no JSON object"),
        ("I cannot say.", "no JSON object"),
        ("[1]", "no JSON object"),
        ('{"summary"', "no JSON object"),
        ("{" * 100_000, "no JSON object"),
        ("", "no JSON object"),
    ]
)
def test_an_answer_is_taken_or_told_what_is_wrong(text: str, expected: Found | str) -> None:
    read = wanted().read(text)
    if isinstance(expected, Found):
        assert read == expected
    else:
        assert isinstance(read, Unfit) and expected in read.why


def test_only_what_is_wanted_is_asked_for_and_taken() -> None:
    both = '{"summary": "Two.", "data": {"seats": 2}}'
    assert wanted(data={}).read(both) == Found("Two.", None)
    assert wanted(summary=False).read(both) == Found("", {"seats": 2})
    assert '"summary"' not in wanted(summary=False).system
    assert json.dumps(SEATS) in wanted().system
    assert Wanted.of(Analysis(summary=False)) is None


def test_a_summary_tells_what_the_agents_file_asks_for() -> None:
    own = wanted(summary_prompt="Outcome and action items.").system
    assert own.endswith("The summary is in the language of the call. Outcome and action items.")
    assert "two to four plain sentences" in wanted().system
    assert "The summary" not in wanted(summary=False).system


def test_a_summary_is_cut() -> None:
    told = wanted(data={}).read(json.dumps({"summary": "x" * 5_000}))
    assert isinstance(told, Found) and len(told.summary) == SUMMARY_CHARACTERS


def test_the_second_request_has_the_first_answer_and_what_was_wrong_with_it() -> None:
    asked = messages("Caller: Hello.", [(" ", Unfit("No object."))])
    assert [one["content"][0]["text"] for one in asked] == [
        *("Caller: Hello.", "{}", "No object. Answer with the JSON object alone.")
    ]
