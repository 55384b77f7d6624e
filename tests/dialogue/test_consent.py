"""Nothing is written but what was put to the caller and agreed to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.assent import assent
from aybiza.dialogue.consent import PATIENCE_TURNS, REMEMBERED, ConsentGate
from aybiza.dialogue.tool_run import ToolRun

TEN = {"day": 10}
YES = "Yes, please."


def use(turn: int, said: str, given_: Any = TEN, **changes: Any) -> ToolRun:
    fields: dict[str, Any] = {"tool_use_id": f"t{turn}", "call_id": "CA1", "asked": "", **changes}
    return ToolRun("book", input=given_, turn=turn, said=said, **fields)


def agreed(gate: ConsentGate, run: ToolRun) -> bool:
    return gate.agreed(run.name, run.input, run)


def put() -> ConsentGate:
    """A gate at which the tenth was put in the first turn."""
    gate = ConsentGate("en")
    assert not agreed(gate, use(1, "Book me the tenth."))
    return gate


def test_a_yes_in_the_next_turn_agrees_once() -> None:
    gate = put()
    assert agreed(gate, use(2, YES))
    assert not agreed(gate, use(3, YES))


def test_the_same_tool_use_run_again_stays_agreed_to() -> None:
    gate = put()
    assert agreed(gate, use(2, YES))
    assert agreed(gate, use(2, YES))


def test_an_id_that_comes_again_in_another_turn_brings_no_consent_along() -> None:
    gate = put()
    assert agreed(gate, use(2, YES, tool_use_id="call_0"))
    assert not agreed(gate, use(3, "And the next one?", {"day": 11}, tool_use_id="call_0"))


def test_a_yes_behind_a_question_that_was_taken_back_is_asked_for_once_more() -> None:
    gate = put()
    assert not agreed(gate, use(3, YES, unheard=frozenset({1})))
    assert agreed(gate, use(4, YES, unheard=frozenset({1}))), "it was put again in turn 3"
    gate = put()
    assert not agreed(gate, use(2, "Hm?", unheard=frozenset({1})))
    assert not agreed(gate, use(3, YES, unheard=frozenset({1, 2})))
    assert agreed(put(), use(3, YES, unheard=frozenset({2}))), "what was put was heard"


def test_a_yes_to_nothing_agrees_to_nothing() -> None:
    assert not agreed(ConsentGate("en"), use(1, YES))


def test_a_yes_in_the_turn_in_which_it_is_put_agrees_to_nothing() -> None:
    gate = ConsentGate("en")
    assert not agreed(gate, use(1, YES))
    assert not agreed(gate, use(1, YES, tool_use_id="again"))


@pytest.mark.parametrize(
    "run",
    [
        use(2, YES, {"day": 11}),
        use(2, YES, call_id="CA2"),
        use(2, "Absolutely not."),
        use(2, "Yes, I'd like to know your opening hours"),
        use(2, ""),
        use(2, YES, {**TEN, "confirmed": False}),
        use(2, YES, asked="The tenth, is …"),
        use(2 + PATIENCE_TURNS, YES),
    ],
    ids=[
        "another input",
        "another call",
        "a refusal",
        "another subject",
        "silence",
        "denied by the model",
        "a question that was cut off",
        "long ago",
    ],
)
def test_what_is_no_consent_to_it(run: ToolRun) -> None:
    assert not agreed(put(), run)


def test_a_refusal_takes_back_what_was_put() -> None:
    gate = put()
    assert not agreed(gate, use(2, "No, not that.", {"day": 12}))
    assert not agreed(gate, use(3, YES))


def test_something_else_that_is_put_takes_its_place() -> None:
    gate = put()
    assert not agreed(gate, use(2, "What about the eleventh?", {"day": 11}))
    assert not agreed(gate, use(3, YES))
    assert agreed(gate, use(4, YES, tool_use_id="t5"))


def test_what_was_put_long_ago_can_be_put_again() -> None:
    gate = put()
    assert not agreed(gate, use(9, YES))
    assert agreed(gate, use(10, YES))


def test_the_claim_of_a_yes_changes_nothing() -> None:
    assert not agreed(put(), use(2, "What was that?", {**TEN, "confirmed": True}))
    assert agreed(put(), use(2, YES, {**TEN, "confirmed": True}))


def test_words_of_a_language_without_a_catalogue_are_the_models_to_judge() -> None:
    gate = ConsentGate("fi")
    assert not agreed(gate, use(1, "Varaa kymmenes."))
    assert agreed(gate, use(2, "Kyllä."))
    gate = ConsentGate("fi")
    assert not agreed(gate, use(1, "Varaa kymmenes."))
    assert not agreed(gate, use(2, "No."))


def test_the_model_is_told_whether_to_ask_or_to_leave_it() -> None:
    gate = put()
    asked = gate.ask(TEN, use(1, "Book me the tenth."))
    refused = gate.ask(TEN, use(2, "No."))
    assert asked["details"] == refused["details"] == TEN
    assert "ask whether they are right" in asked["message"]
    assert "has not agreed" in refused["message"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([YES, "No.", "Sure.", "Maybe.", "When?", "Book it, not the other."]),
            st.sampled_from([1, 2]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_whatever_happens_a_write_follows_a_yes_to_the_same_input(
    uses: list[tuple[str, int, bool]],
) -> None:
    gate = ConsentGate("en")
    puts: list[tuple[int, int]] = []
    turn = 1
    for number, (said, day, goes_on) in enumerate(uses):
        turn += goes_on
        if agreed(gate, use(turn, said, {"day": day}, tool_use_id=f"u{number}")):
            assert assent(said, "en") is True
            assert any(day == d and 0 < turn - t <= PATIENCE_TURNS for d, t in puts)
        puts.append((day, turn))


def test_memory_is_bounded() -> None:
    gate = ConsentGate("en")
    for number in range(REMEMBERED + 50):
        agreed(gate, use(1, "Book.", call_id=f"CA{number}"))
    assert len(gate._put) == REMEMBERED


def test_a_refusal_that_used_no_tool_takes_back_what_was_put() -> None:
    asks_on = "Is there anything else?"
    before = ("Book me the tenth.", "No.")
    assert not agreed(put(), use(3, "Yes.", before=before, asked=asks_on))
    undecided = ("No, the tenth.", "What does it cost?")
    assert agreed(put(), use(3, "Yes.", before=undecided, asked="Ninety. Shall I book it?"))
