"""What a voice and words are worth, by what the agent is saying."""

from __future__ import annotations

import pytest

from aybiza.dialogue.barge_in import BargeIn
from aybiza.dialogue.conversation import Conversation, Phase
from aybiza.dialogue.turn_policy import TurnPolicy
from tests.dialogue.call_world import agent
from tests.dialogue.calls import call


def barge_in(conversation: Conversation, **changes: object) -> BargeIn:
    return BargeIn(TurnPolicy.of(agent(**changes)), conversation)


@pytest.fixture
def speaking() -> Conversation:
    return call(Phase.SPEAKING).machine.conversation


def test_as_many_words_are_needed_as_the_agent_says(speaking: Conversation) -> None:
    three = barge_in(speaking, barge_in_words=3)
    assert [three.may_cut(text, 0.0) for text in ("no", "no wait", "no wait please")] == [
        False,
        False,
        True,
    ]


def test_a_voice_must_have_been_heard_for_as_long_as_the_agent_says(
    speaking: Conversation,
) -> None:
    patient = barge_in(speaking, barge_in_voice_ms=500)
    patient.voice(10.0)
    assert not patient.may_cut("wait", 10.4)
    assert patient.may_cut("wait", 10.5)


def test_the_greeting_yields_at_choice() -> None:
    greeted = Conversation()
    greeted.at(0).sentences[1] = "Hello there."
    assert barge_in(greeted).may_cut("wait", 0.0)
    assert not barge_in(greeted, greeting_yields=False).may_cut("wait", 0.0)


def test_what_the_law_has_callers_told_is_not_interrupted(speaking: Conversation) -> None:
    consent = "This call is recorded. If you object, say so."
    turn = speaking.at(1)
    turn.sentences[2] = "This call is recorded."
    assert not barge_in(speaking, protected=(consent,)).may_cut("wait", 0.0)
    turn.sentences[2] = "We are open."
    assert barge_in(speaking, protected=(consent,)).may_cut("wait", 0.0)


def test_yes_into_the_end_of_a_question_is_its_answer(speaking: Conversation) -> None:
    turn = speaking.at(1)
    assert barge_in(speaking).is_nothing("Yes.")
    turn.sentences[2], turn.complete = "Shall I book it?", True
    assert not barge_in(speaking).is_nothing("Yes.")


@pytest.mark.parametrize(
    ("language", "hum"), [("en", "Mm-hm."), ("en", "Uh-huh."), ("de", "Mhm."), ("pt", "Aham.")]
)
def test_a_hum_into_a_question_is_no_answer_to_it(
    speaking: Conversation, language: str, hum: str
) -> None:
    turn = speaking.at(1)
    turn.sentences[2], turn.complete = "Shall I book it?", True
    assert barge_in(speaking, language=language).is_nothing(hum)
    assert barge_in(speaking, language=language).is_nothing(hum[:2], begun=True)
    turn.heard.add(2)
    assert not barge_in(speaking, language=language).is_nothing(hum)


@pytest.mark.parametrize("begun", ["Coo", "Cool, co", "I un", "makes", "makes sen"])
def test_while_the_agent_thinks_words_are_waited_for_that_may_only_listen(begun: str) -> None:
    thinking = call(Phase.THINKING).machine.conversation
    assert barge_in(thinking).is_nothing(begun, begun=True)
    assert not barge_in(thinking).is_nothing("cooling", begun=True)


def test_an_echo_that_comes_behind_the_last_word_is_one_if_it_began_before() -> None:
    conversation = call(Phase.SPEAKING).machine.conversation
    turn = conversation.at(1)
    turn.sentences[2] = "We are open from nine to five."
    late, new = barge_in(conversation), barge_in(conversation)
    late.voice(1.0)
    turn.heard.add(2)
    turn.complete = True
    assert conversation.phase is Phase.LISTENING
    new.voice(2.0)
    assert late.is_nothing("open from nine to five")
    assert not new.is_nothing("open from nine to five")


@pytest.mark.parametrize(
    ("seq", "fraction", "unheard"), [(1, 0.0, True), (1, 0.2, True), (1, 0.3, False), (2, 0, False)]
)
def test_an_answer_is_unheard_until_its_first_word(
    seq: int, fraction: float, unheard: bool
) -> None:
    world = call(Phase.THINKING)
    world.answer("sentence")
    world.answer("sentence")
    assert barge_in(world.machine.conversation).is_unheard(1, seq, fraction) == unheard
