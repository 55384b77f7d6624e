"""A caller by rules, moment by moment."""

from __future__ import annotations

from typing import Any

from aybiza.emulators.phone.line import Ear
from aybiza.emulators.phone.player import FINISHED, Failure
from aybiza.emulators.phone.script import Step
from aybiza.faults.caller import NOISE
from aybiza.faults.persona import Persona
from aybiza.faults.persona_mind import Answer
from aybiza.faults.persona_player import WAIT_MS, PersonaPlayer

ASKS = {"when": "which", "say": ["The first."]}
AGREES = {"when": "shall i", "say": ["Yes."], "agrees": True}
LEAVES = {"when": "goodbye", "hang_up": True}


def player(
    *rules: dict[str, Any], answers: list[str] | None = None, **manner: Any
) -> PersonaPlayer:
    """A caller; with `answers` one whose model says these."""
    table: dict[str, Any] = {
        "title": "Asks",
        "persona": {"opens": ["Hello."], **manner},
        "says": list(rules),
        "goal": {},
    }
    if answers is None:
        return PersonaPlayer(Persona.model_validate(table).drawn(1), ["One moment."])
    table["model"] = {"by": "emulator", "goal": "Wine.", "most_rounds": 3}
    caller = Persona.model_validate(table).drawn(1)
    mind = caller.mind(lambda _: Answer(answers.pop(0)))
    return PersonaPlayer(caller, ["One moment."], mind)


def heard(text: str, until_ms: float = 1_000.0, sound_ms: float = 1_000.0) -> Ear:
    ear = Ear()
    ear.read(text)
    ear.last_sound_ms, ear.sound_ms = until_ms, sound_ms
    return ear


def words(decision: object) -> str:
    assert isinstance(decision, Step)
    return decision.text


def test_the_first_words_come_when_the_agent_has_been_quiet() -> None:
    caller = player()
    assert caller.decide(1_500.0, heard("Good day.")) is None
    assert words(caller.decide(1_700.0, heard("Good day."))) == "Hello."


def test_a_hasty_caller_waits_less() -> None:
    assert words(player(temper="hasty").decide(1_400.0, heard("Good day."))) == "Hello."


def test_what_was_heard_is_answered_by_its_rule() -> None:
    caller = player(ASKS, AGREES)
    caller.decide(2_000.0, heard("Good day."))
    assert words(caller.decide(3_000.0, heard("Which one?"))) == "The first."
    assert words(caller.decide(4_000.0, heard("Shall I?"))) == "Yes."
    assert (caller.agreed, caller.said) == (["Yes."], 3)


def test_words_that_bridge_the_time_are_waited_out() -> None:
    caller = player()
    assert caller.decide(3_000.0, heard("One moment.")) is None
    assert words(caller.decide(8_000.0, heard("One moment."))) == "Hello."


def test_who_is_not_answered_gives_up() -> None:
    caller = player(patience=2, otherwise=["Pardon?"])
    caller.decide(2_000.0, heard("Good day."))
    assert words(caller.decide(3_000.0, heard("Hm."))) == "Pardon?"
    assert words(caller.decide(4_000.0, heard("Hm."))) == "Pardon?"
    assert caller.decide(5_000.0, heard("Hm.")) is FINISHED


def test_a_caller_hangs_up_by_a_rule() -> None:
    caller = player(LEAVES, {"when": "else", "say": ["No, bye."], "hang_up": True})
    caller.decide(2_000.0, heard("Good day."))
    assert caller.decide(3_000.0, heard("Goodbye.")) is FINISHED
    caller = player(LEAVES, {"when": "else", "say": ["No, bye."], "hang_up": True})
    caller.decide(2_000.0, heard("Good day."))
    assert words(caller.decide(3_000.0, heard("Anything else?"))) == "No, bye."
    assert caller.decide(4_000.0, heard("Bye.")) is FINISHED


def test_a_cough_comes_first_and_the_words_behind_it() -> None:
    caller = player(noise=1.0)
    assert words(caller.decide(2_000.0, heard("Good day."))) == NOISE
    caller.done(2_500.0)
    # Whoever makes a sound has forgotten how long the agent has been quiet, and not what it said.
    assert caller.decide(3_000.0, Ear()) is None
    assert words(caller.decide(3_600.0, Ear())) == "Hello."


def test_an_answer_may_be_broken_into_but_no_question_for_a_yes() -> None:
    caller = player(ASKS, AGREES, interrupts=1.0)
    caller.decide(2_000.0, heard("Good day."))
    assert caller.decide(3_000.0, heard("Which", 3_000.0, sound_ms=500.0)) is None
    assert words(caller.decide(3_500.0, heard("Which one", 3_500.0, 1_000.0))) == "The first."
    assert caller.decide(5_000.0, heard("Shall I", 5_000.0, 1_000.0)) is None


def test_a_silent_agent_fails_the_call() -> None:
    caller = player()
    assert caller.decide(WAIT_MS, Ear()) is None
    assert isinstance(caller.decide(WAIT_MS + 20, Ear()), Failure)
    assert caller.call_ended(Ear(), "over", clean=True) is FINISHED
    assert isinstance(caller.call_ended(Ear(), "broken", clean=False), Failure)


def test_a_model_has_the_first_words_where_the_file_has_none_and_those_that_no_rule_has() -> None:
    caller = player(ASKS, answers=["Wine, please.", "[yes] Yes."], opens=[])
    assert words(caller.decide(2_000.0, heard("Good day."))) == "Wine, please."
    assert words(caller.decide(3_000.0, heard("Which one?"))) == "The first."
    assert words(caller.decide(4_000.0, heard("Shall I?"))) == "Yes."
    assert (caller.agreed, caller.said) == (["Yes."], 3)


def test_a_yes_into_the_agents_words_agrees_to_nothing() -> None:
    caller = player(answers=["[yes] Yes."], interrupts=1.0)
    caller.decide(2_000.0, heard("Good day."))
    assert words(caller.decide(2_100.0, heard("Shall I", until_ms=2_000.0))) == "Yes."
    assert caller.agreed == []


def test_a_model_presses_keys_and_hangs_up() -> None:
    caller = player(answers=["[keys 12#]", "Thank you. [hang up]"])
    caller.decide(2_000.0, heard("Good day."))
    pressed = caller.decide(3_000.0, heard("Your number?"))
    assert isinstance(pressed, Step) and (pressed.act, pressed.keys) == ("press", "12#")
    assert words(caller.decide(4_000.0, heard("Done."))) == "Thank you."
    assert caller.decide(6_000.0, heard("Goodbye.", until_ms=5_000.0)) is FINISHED


def test_a_caller_whose_model_has_no_words_is_at_a_loss_and_one_that_has_none_left_ends() -> None:
    caller = player(answers=["", "One.", "Two."], patience=1)
    caller.decide(2_000.0, heard("Good day."))
    assert words(caller.decide(3_000.0, heard("Hm."))) == "Sorry, could you say that again?"
    caller.decide(4_000.0, heard("Hm."))
    caller.decide(5_000.0, heard("Hm."))
    assert isinstance(caller.decide(6_000.0, heard("Hm.")), Failure)
    assert "most_rounds" in caller.speechless
