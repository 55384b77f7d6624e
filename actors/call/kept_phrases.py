"""The fixed phrases of agents that a node has kept as audio: a table of the VM.

It belongs to the VM, so it outlives every actor. What a call's speaker has heard whole is kept at
its first use; `PhraseKeeper` has the rest synthesised, and writes it down.

Errors: none.
"""

from __future__ import annotations

from aybiza.actors import names
from aybiza.actors.runtime import VM
from aybiza.config.agents import Agent
from aybiza.dialogue.turn_policy import fillers
from aybiza.speech.pacing import Kind
from aybiza.speech.phrases import Phrase, Phrases
from aybiza.speech.playout import Sentence

TABLE = "phrases"


def fixed(agent: Agent) -> frozenset[str]:
    """What the agent says word for word, on one occasion or another."""
    return frozenset(
        (
            *opening(agent),
            agent.silence_prompt,
            agent.error,
            agent.over_quota,
            agent.bridge,
            agent.ask_again,
            *([agent.keys_again] if agent.keys_masked else []),
            agent.closing,
            *([agent.closed] if agent.hours else []),
            agent.late,
            agent.refusal,
            agent.error_after_write,
            agent.transfer_busy,
            agent.transfer_unanswered,
            agent.transfer_failed,
            *fillers(agent),
        )
    )


def opening(agent: Agent) -> tuple[str, ...]:
    """What is said only in the language in which a call begins."""
    first = not agent.languages or agent.language == agent.languages[0]
    return (agent.greeting, agent.busy) if first else ()


def kind(agent: Agent, sentence: Sentence, text: str) -> Kind:
    """What a text is to a caller who waits for an answer: the answer itself, a word that bridges
    the time until it comes, or words that take its place."""
    if sentence.seq <= 0 or text == agent.filler:
        return "bridge"
    return "instead" if text in fixed(agent) else "answer"


def table(vm: VM) -> Phrases:
    """The phrases of this node."""
    phrases: Phrases = vm.tables.setdefault(TABLE, Phrases())
    return phrases


def get(vm: VM, voice: str, text: str) -> bytes | None:
    """The audio of a phrase, if it is kept."""
    return table(vm).get(voice, text)


def keep(vm: VM, voice: str, text: str, mulaw: bytes) -> None:
    """Keep the audio of a phrase, if it is not kept yet, and have it written down."""
    phrases = table(vm)
    if phrases.get(voice, text) is None and phrases.keep(voice, text, mulaw):
        vm.cast(names.PHRASES, Phrase(voice, text))
