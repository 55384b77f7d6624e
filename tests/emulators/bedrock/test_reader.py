"""What the stand-in makes of the record of a call."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.config.analysis import Analysis
from aybiza.dialogue.analysis_request import Found, Wanted, messages
from aybiza.emulators.bedrock.reader import read, reading
from aybiza.emulators.bedrock.reply import Reply, say
from tests.cases import each

RECORD = "You: Taverna.\nCaller: A table for two on Friday, please.\nYou: Done."
SCHEMA = {
    "type": "object",
    "properties": {
        "seats": {"type": "integer", "minimum": 1},
        "day": {"enum": ["monday", "friday"]},
        "table": {"type": "string"},
        "vegan": {"type": "boolean"},
    },
    "required": ["seats", "vegan"],
}


def asked(analysis: Analysis, record: str = RECORD) -> Found | Any:
    wanted = Wanted.of(analysis)
    assert wanted is not None
    body = {"system": [{"text": wanted.system}], "messages": messages(record, [])}
    reply = reading(lambda body: say("no"))(body)
    assert isinstance(reply, Reply)
    return wanted.read(reply.text)


def test_an_analysis_has_the_callers_words_and_what_they_say_of_the_data() -> None:
    found = asked(Analysis(data=SCHEMA))
    assert found.data == {
        "seats": 2,
        "day": "friday",
        "table": "A table for two on Friday, please.",
        "vegan": False,
    }
    assert found.summary == (
        "The caller spoke once and began with: A table for two on Friday, please."
        " The last answer was: Done."
    )


def test_what_asks_for_no_json_is_answered_as_before() -> None:
    body = {"system": [{"text": "Help."}], "messages": messages(RECORD, [])}
    assert reading(lambda body: say("no"))(body) == say("no")


@each(
    (
        ({"type": "number", "maximum": 1}, "Caller: 3 or 0.5", 0.5),
        ({"type": "integer"}, "Caller: 0.5 or seven", 7),
        ({"type": ["null", "integer"]}, "Caller: 12", 12),
        ({"const": "x"}, "", "x"),
        ({"type": "array", "items": {"type": "integer"}}, "Caller: two", [2]),
        ({"type": "array", "minItems": 2, "items": {"type": "string"}}, "", ["", ""]),
        ({"type": "string", "minLength": 3}, "", "---"),
        ({"enum": ["a b", "other"]}, "Caller: x", "other"),
        (
            {"type": "object", "properties": {"seats": {"type": "integer"}}},
            "Caller: 4",
            {"seats": 4},
        ),
        ({"type": "integer"}, "You: 4", 0),
    )
)
def test_values_are_those_that_were_said_or_the_least_that_fits(
    schema: dict[str, Any], record: str, value: Any
) -> None:
    whole = {"type": "object", "properties": {"it": schema}, "required": ["it"]}
    assert read(whole, record) == {"it": value}


VALUES = st.recursive(
    st.sampled_from([{"type": t} for t in ("string", "integer", "number", "boolean", "null")]),
    lambda inner: (
        st.builds(
            lambda members: {"type": "object", "properties": members, "required": list(members)},
            st.dictionaries(st.sampled_from(["seats", "day", "name"]), inner, max_size=3),
        )
        | st.builds(lambda item: {"type": "array", "items": item}, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["seats", "day", "open"]), VALUES), st.text(max_size=60))
def test_whatever_the_schema_and_the_words_what_is_found_fits(
    members: dict[str, Any], words: str
) -> None:
    data = {"type": "object", "properties": members, "required": list(members)}
    found = asked(Analysis(data=data), f"Caller: {json.dumps(words)} day 3 open")
    assert isinstance(found, Found) and set(found.data or {}) == set(members)
