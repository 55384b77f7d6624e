"""The table of kept phrases belongs to the VM."""

from __future__ import annotations

from aybiza.actors.call import kept_phrases
from aybiza.actors.runtime import VM, virtual_time
from aybiza.speech.playout import Sentence
from tests.call.kit import AGENT, agent


@virtual_time
async def test_what_is_kept_is_found_by_everybody_on_the_node_and_the_first_stays() -> None:
    async with VM() as vm, VM() as other:
        kept_phrases.keep(vm, "asteria", "Hello.", b"first")
        kept_phrases.keep(vm, "asteria", "Hello.", b"second")
        assert kept_phrases.get(vm, "asteria", "Hello.") == b"first"
        assert kept_phrases.get(other, "asteria", "Hello.") is None


def test_the_fixed_phrases_of_an_agent_are_all_that_it_says_word_for_word() -> None:
    kept = kept_phrases.fixed(AGENT)
    assert {AGENT.greeting, AGENT.filler, AGENT.closing, AGENT.busy} <= kept
    assert {AGENT.refusal, AGENT.error_after_write, AGENT.transfer_busy, AGENT.late} <= kept
    assert "Good day." in kept_phrases.fixed(agent(greeting="Good day."))


def test_what_bridges_the_time_or_takes_an_answers_place_is_no_answer() -> None:
    first = Sentence(1, 1)
    assert kept_phrases.kind(AGENT, first, "We are open.") == "answer"
    assert kept_phrases.kind(AGENT, first, AGENT.filler) == "bridge"
    assert kept_phrases.kind(AGENT, Sentence(1, 0), AGENT.bridge) == "bridge"
    for text in (AGENT.error, AGENT.refusal, AGENT.error_after_write, AGENT.silence_prompt):
        assert kept_phrases.kind(AGENT, first, text) == "instead"
