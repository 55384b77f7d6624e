"""Whether a call may be recorded: what the caller is told of it, and what counts as consent.

    terms = terms_of(agent, caller)          None: the agent records nothing
    decided(terms, conversation, entry)      the consent that `entry` has brought, or refused

Callers who need only be told hear the notice ahead of the greeting, and it may not be interrupted;
once it was heard to its end the recording begins. Callers who have to agree are asked behind the
greeting; what they say first is the answer. Only a plain yes is one, to this question: not to
another that the agent has put since, such as whether they are still there. So is the key of the
agent's file, alone. Whatever else they say, the call goes on and is not recorded.

Pure. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass

from aybiza.config.agents import Agent
from aybiza.config.recording import Manner, manner
from aybiza.dialogue.assent import assent
from aybiza.dialogue.conversation import GREETING_TURN, Conversation
from aybiza.dialogue.journal import (
    AGREED,
    REFUSED,
    TOLD,
    CallerTurn,
    Entry,
    RecordingConsent,
    SentenceHeard,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What recording a call waits for, and the words that ask for it, in this language."""

    manner: Manner
    words: str
    language: str
    key: str = ""

    @property
    def before(self) -> str:
        """What is said ahead of the greeting."""
        return self.words if self.manner == "told" else ""

    @property
    def behind(self) -> str:
        """What is said behind it."""
        return self.words if self.manner == "agreed" else ""


def terms_of(agent: Agent, caller: str) -> Terms | None:
    """See the module."""
    if agent.recording is None:
        return None
    how = manner(agent.recording, caller)
    words = agent.recording_notice if how == "told" else agent.recording_question
    return Terms(how, words, agent.language, agent.recording.key or "")


def decided(terms: Terms, conversation: Conversation, entry: Entry) -> RecordingConsent | None:
    """See the module. `entry` stands in the conversation already."""
    if conversation.recording is not None:
        return None
    greeting = conversation.turns.get(GREETING_TURN)
    if greeting is None:
        return None
    asked = next((seq for seq, text in greeting.sentences.items() if text == terms.words), 0)
    heard = asked in greeting.heard
    match entry:
        case SentenceHeard(turn, seq) if terms.manner == "told":
            return RecordingConsent(TOLD) if (turn, seq) == (GREETING_TURN, asked) else None
        case CallerTurn(_, text, language) if terms.manner == "agreed" and text:
            since = any(
                turn.sentences for turn in conversation.turns.values() if turn is not greeting
            )
            agreed = text == terms.key or assent(text, language or terms.language, terms.words)
            yes = heard and not since and agreed is True
            return RecordingConsent(AGREED if yes else REFUSED)
    return None
