"""What a caller's voice and words are worth, by what the agent is saying: who may cut whom.

`BargeIn(policy, conversation)` looks at the conversation as it is and changes nothing of it. It
keeps what a crash may lose: since when there is a voice, and whether it began over the agent's.

Contract: pure, the times are handed in. Errors: none.
"""

from __future__ import annotations

from aybiza.dialogue import overheard, unfinished
from aybiza.dialogue.assent import assent
from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Phase, Turn
from aybiza.dialogue.turn_policy import TurnPolicy

TALKING = (Phase.GREETING, Phase.SPEAKING)
ANSWERING = (*TALKING, Phase.THINKING)
SAYING = (*TALKING, Phase.CLOSING)

# Before anything was said.
NO_TURN = Turn(GREETING_TURN, complete=True)


class BargeIn:
    """See the module."""

    def __init__(self, policy: TurnPolicy, conversation: Conversation) -> None:
        self.policy = policy
        self._conversation = conversation
        self._voice_at: float | None = None
        self._over_agent = False

    @property
    def _turn(self) -> Turn:
        return self._conversation.turn or NO_TURN

    def voice(self, at: float) -> None:
        """Somebody began to speak."""
        self._voice_at = at
        self._over_agent = self._conversation.phase in TALKING

    def turn_taken(self) -> None:
        """What is heard from now on began behind the agent's words."""
        self._over_agent = False

    def has_just_begun(self, at: float) -> bool:
        """Whether a voice has just begun, which may have words to it; asked once of each voice."""
        began, self._voice_at = self._voice_at, None
        return began is not None and at - began < self.policy.voice_grace

    def voice_cuts(self) -> bool:
        """Whether a voice alone silences the agent."""
        # A second sound in the same turn must have words to it: a noisy line is no caller.
        alone = self.policy.barge_in_words == 0 and not self._turn.resumed
        return alone and self.policy.barge_in and not self.is_protected()

    def is_nothing(self, text: str, *, begun: bool = False) -> bool:
        """Whether the words interrupt nothing and are no part of any turn; `begun`: the last one
        may have only begun."""
        policy, phase, turn = self.policy, self._conversation.phase, self._turn
        said = " ".join(turn.sentences.values())
        asking = turn.complete and overheard.is_question(turn.sentences.get(turn.last_seq, ""))
        over_agent = phase in TALKING or (self._over_agent and phase is Phase.LISTENING)
        if not text or (over_agent and overheard.is_echo(text, said, asking=asking, begun=begun)):
            return True
        if phase is Phase.LISTENING or self._conversation.segments:
            return False
        # Who says yes into the end of a question has answered it; who hums there has only listened.
        answers = phase is not Phase.THINKING and asking and len(turn.unheard()) <= 1
        if answers and assent(text, policy.language) is None:
            answers = False
        # Nothing is played that words would have to cut: there is time until they are whole.
        may_be_any = phase is Phase.THINKING
        listens = overheard.is_back_channel(
            text, policy.language, policy.back_channels, begun=begun, patient=may_be_any
        )
        return listens and not answers

    def may_cut(self, text: str, at: float) -> bool:
        """Whether the words silence the agent, or end its thinking."""
        policy = self.policy
        if self._conversation.phase not in TALKING:
            return policy.barge_in
        voice = policy.barge_in_voice if self._voice_at is None else at - self._voice_at
        count = len(overheard.words_of(" ".join([*self._conversation.segments, text])))
        enough = count >= policy.barge_in_words and voice >= policy.barge_in_voice
        return policy.barge_in and enough and not self.is_protected()

    def is_protected(self) -> bool:
        """Whether what the caller hears now may not be interrupted."""
        turn = self._turn
        seq = min(turn.unheard(), default=0)
        if turn.number == GREETING_TURN and seq and not self.policy.greeting_yields:
            return True
        words = overheard.words_of(turn.sentences.get(seq, ""))
        texts = map(overheard.words_of, self.policy.protected)
        return bool(words) and any(
            overheard.is_run(words, of) or overheard.is_run(of, words) for of in texts
        )

    def is_unheard(self, number: int, seq: int, fraction: float) -> bool:
        """Whether nothing was heard of the answer to a caller's turn that was cut there."""
        turn = self._turn
        if number != turn.number or not turn.caller or turn.heard:
            return False
        words = turn.sentences.get(seq, "").split()
        return seq <= min(turn.sentences, default=1) and int(len(words) * fraction) == 0

    def is_unfinished(self, text: str) -> bool:
        """Whether the caller's words cannot be all."""
        return self.policy.patience > 0 and unfinished.wants_more(text, self.policy.language)

    def patience(self) -> float:
        """What is waited behind the caller's words for more of them; 0: nothing."""
        policy, segments = self.policy, self._conversation.segments
        text = " ".join(segments)
        if self.is_unfinished(text):
            return policy.patience_unfinished
        if not self._is_asked_for_pieces():
            return 0.0
        if unfinished.has_few_digits(text, policy.language):
            return policy.patience_unfinished
        return policy.patience if len(segments) < 2 else policy.patience_again

    def _is_asked_for_pieces(self) -> bool:
        """Whether the caller answers what people say in pieces."""
        turns = (turn for turn in reversed(self._conversation.turns.values()) if turn.sentences)
        asked = next((" ".join(turn.sentences.values()) for turn in turns), "")
        return overheard.asks_in_pieces(asked, self.policy.language)

    def takes_back(self, text: str, *, begun: bool = False) -> bool:
        """Whether the caller has something else to say than thanks and goodbye, or does not want
        to be put through."""
        language = self.policy.language
        match self._conversation.closing:
            case "silence" | "voicemail":
                return bool(text)
            case "goodbye":
                words = bool(overheard.words_of(text))
                return words and not overheard.is_courtesy(text, language, begun=begun)
            case "transfer":
                return assent(text, language) is False
        return False
