"""What a turn machine goes by: times, attempts and manners, all in one place.

`TurnPolicy.of(agent)` makes them of the agent's file; what no agent can set has its value here.
Contract: pure data. Times are seconds. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass

from aybiza.config.agents import Agent

# Behind the recogniser's own end of an utterance, before words are taken for a turn without it.
ENDPOINT_MARGIN_SECONDS = 1.0
SAME_FILLER_AGAIN = 3
ENDPOINT_SECONDS = 2.0
SILENCE_SECONDS = 10.0
# How much more patience there is where a caller has paused before, and where words must follow.
PATIENCE_AGAIN = 1.4
PATIENCE_UNFINISHED = 1.9


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """See the module.

    languages: those that the agent speaks, where there are several.

    endpoint: without a sign of the caller for so long, words are a turn and a break-in without
    words was a mistake; eager_endpoint: the same, while an answer is begun to words that the
    recogniser is yet to tell. heard_out: behind the caller's voice the recogniser tells its end by
    then. patience: what is waited behind the caller's end when they were
    asked for something that people say in pieces; patience_again: where they have gone on behind
    such a pause before; patience_unfinished: where their words cannot be all. silence,
    silence_again: without words for so long, the caller is asked whether they are there, and later
    seen off. silence_prompts: how often they are asked. voice_grace: a voice that began so short a
    time ago may have words to it.

    filler_after, filler_again: silence on the line, while an answer is owed or is yet to be heard,
    after which a filler is said, and the next one; the first comes as much sooner as the end of the
    caller's words was told later than `heard_out`. Behind either there is time to find that no
    voice says it, and to have the carrier speak. fillers: their words. voice_lost: after so long a
    silence, while something is to be said, the agent has no voice; it is what callers bear, less
    what a carrier takes to speak in the agent's place. late: said behind the last filler, in place
    of the answer.

    barge_in: whether the caller may interrupt; barge_in_words: with so many words, 0: with a voice
    alone; barge_in_voice: which has been heard for so long. back_channels: further words that
    interrupt nothing. greeting_yields: whether the greeting may be interrupted; protected: texts
    that may not.

    keys_end: the key that ends what a caller enters; keys_most: so many are all of it, 0: however
    many; keys_wait: for so long the next one is waited for; keys_masked: which they were is told to
    nobody.

    eager_answers: how often, in a turn, an answer is begun before it is sure that the caller is
    done. attempts: how often an answer that broke off is asked for. tool_rounds: how often a model
    may use tools in one answer. first_clause: a clause of so many characters that begins an answer
    is spoken by itself. lead: how far ahead of the ear audio goes out, so that a restart of the
    speaker or a stall of the loop is not heard; low: with so little left to hear the next texts are
    synthesised. closing: the last words of a call have been heard by then, or never will be;
    last_words: the same, on a line that has failed.
    """

    language: str = "en-US"
    languages: tuple[str, ...] = ()
    endpoint: float = ENDPOINT_SECONDS
    heard_out: float = 1.0
    patience: float = 0.8
    patience_again: float = 1.1
    patience_unfinished: float = 1.5
    silence: float = SILENCE_SECONDS
    silence_again: float = 2 * SILENCE_SECONDS
    silence_prompts: int = 1
    voice_grace: float = 1.0
    filler_after: float = 2.0
    filler_again: float = 3.1
    voice_lost: float = 4.0
    fillers: tuple[str, ...] = ()
    late: str = ""
    barge_in: bool = True
    barge_in_words: int = 1
    barge_in_voice: float = 0.0
    back_channels: tuple[str, ...] = ()
    greeting_yields: bool = True
    protected: tuple[str, ...] = ()
    keys_end: str = ""
    keys_most: int = 0
    keys_wait: float = ENDPOINT_SECONDS
    keys_masked: bool = False
    eager_answers: int = 1
    attempts: int = 2
    eager_endpoint: float = 2 * ENDPOINT_SECONDS
    tool_rounds: int = 5
    first_clause: int = 60
    lead: float = 2.0
    low: float = 2.5
    closing: float = 30.0
    last_words: float = 5.0

    @classmethod
    def of(cls, agent: Agent) -> TurnPolicy:
        """The policy of this agent."""
        heard_out = max(agent.utterance_end_ms, agent.endpointing_ms) / 1000
        silence = agent.silence_timeout_s or SILENCE_SECONDS
        patience = agent.patience_ms / 1000
        endpoint = max(ENDPOINT_SECONDS, heard_out + ENDPOINT_MARGIN_SECONDS)
        return cls(
            language=agent.language,
            languages=agent.languages,
            endpoint=endpoint,
            heard_out=heard_out,
            eager_endpoint=2 * endpoint,
            patience=patience,
            patience_again=patience * PATIENCE_AGAIN,
            patience_unfinished=patience * PATIENCE_UNFINISHED,
            silence=silence,
            silence_again=agent.silence_again_s or 2 * silence,
            filler_after=agent.filler_after_ms / 1000,
            fillers=fillers(agent),
            late=agent.late,
            barge_in=agent.barge_in,
            barge_in_words=agent.barge_in_words,
            barge_in_voice=agent.barge_in_voice_ms / 1000,
            back_channels=agent.back_channels,
            greeting_yields=agent.greeting_yields,
            protected=(*agent.protected, *([agent.recording_notice] if agent.recording else ())),
            keys_end=agent.keys_end,
            keys_most=agent.keys_most or 0,
            keys_wait=agent.keys_wait_ms / 1000 if agent.keys_wait_ms else endpoint,
            keys_masked=agent.keys_masked,
            eager_answers=agent.eager_answers,
        )


def fillers(agent: Agent) -> tuple[str, ...]:
    """What is said while an answer is waited for, in turn."""
    # What nobody has translated is not said in another language.
    same = agent.more_fillers is None and not agent.language.startswith("en")
    more = (agent.filler,) * SAME_FILLER_AGAIN if same else agent.more_fillers or MORE_FILLERS
    return (agent.filler, *more)


MORE_FILLERS = (
    "I'm still working on it.",
    "It takes a little longer than usual.",
    "Thank you for your patience.",
)
"""What a caller who waits is told after the agent's filler, in English."""
