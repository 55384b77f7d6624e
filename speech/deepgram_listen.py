"""A listen socket: the caller's audio in, words out.

    session = await deepgram.listen(ListenOptions(), call_id, timeout=5.0)
    await session.send_audio(mulaw)
    async for event in session: ...

Audio is mu-law, 8000 Hz, in pieces of any size. Times of events are seconds of the audio that was
sent on this socket. The text of an utterance is the concatenation of its final transcripts.

Errors: see `aybiza.speech.deepgram_socket`.
Source: Deepgram, listen v1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import quote

import structlog

from aybiza.config.languages import main_tag
from aybiza.config.numbers import finite
from aybiza.speech.deepgram_socket import DeepgramSocket, object_of

MULTI = "multi"
"""In place of a language: all that the model knows."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """How to listen; times in milliseconds as in Deepgram's parameters of the same names."""

    model: str = "nova-3"
    language: str = "en-US"
    keyterms: Sequence[str] = ()
    endpointing_ms: int = 300
    utterance_end_ms: int = 1000
    eager: bool = True
    """Whether to be told, by models that can, of turns that may be over."""
    hints: Sequence[str] = ()
    """The languages that are to be told apart, where `language` is `multi`."""
    private: bool = False
    """Whether Deepgram may keep nothing of it to better its models."""

    @property
    def is_flux(self) -> bool:
        """Whether the model tells turns, by listen v2 (`aybiza.speech.deepgram_flux`)."""
        return self.model.startswith("flux-")

    def parameters(self) -> dict[str, Any]:
        """The arguments of the SDK's `connect`."""
        parameters: dict[str, Any] = {
            "model": self.model,
            "language": self.language,
            "encoding": "mulaw",
            "sample_rate": 8000,
            "channels": 1,
            "interim_results": "true",
            "vad_events": "true",
            "smart_format": "true",
            "endpointing": str(self.endpointing_ms),
            "utterance_end_ms": str(self.utterance_end_ms),
        }
        if self.keyterms:
            # Models before it know the older name alone, and pass over the newer one.
            name = "keyterm" if self.model.startswith("nova-3") else "keywords"
            parameters[name] = list(self.keyterms)
        if self.hints and self.language == MULTI:
            parameters["language_hint"] = [main_tag(hint) for hint in self.hints]
        if self.private:
            parameters["mip_opt_out"] = "true"
        return parameters


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words from `start` to `end`.

    `is_final`: they will not change. `speech_final`: a pause followed. `from_finalize`: they were
    asked for. `confidence`: 0 to 1. `last_word`: where the last of them begins and ends, if that is
    known. `language`: the main tag of the one that most of them are in, "" if that is not told.
    """

    text: str
    is_final: bool
    speech_final: bool
    from_finalize: bool
    start: float
    end: float
    confidence: float
    last_word: tuple[float, float] | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """No further word for `utterance_end_ms`; the last one ended at `last_word_end`, None if
    Deepgram does not know."""

    last_word_end: float | None


ListenEvent: TypeAlias = SpeechStarted | Transcript | UtteranceEnd


class ListenSession(DeepgramSocket):
    """See the module."""

    @classmethod
    async def open(
        cls, client: Any, options: ListenOptions, call_id: str, timeout: float
    ) -> ListenSession:
        """Connect through the SDK's `client`, within `timeout` seconds."""
        opening = client.listen.v1.connect(
            **options.parameters(),
            request_options={"additional_headers": {"x-deepgram-session-id": quote(call_id)}},
        )
        return await cls.opened(opening, timeout)

    async def send_audio(self, mulaw: bytes) -> None:
        """Send audio; never an empty piece, which once meant the end."""
        if mulaw:
            await self.send(self._socket.send_media(mulaw))

    async def keep_alive(self) -> None:
        """Tell that the silence is meant: Deepgram closes after 10 s without audio."""
        await self.send(self._socket.send_keep_alive())

    async def finalize(self) -> None:
        """Have everything that was sent transcribed now."""
        await self.send(self._socket.send_finalize())

    def read(self, message: bytes | str) -> ListenEvent | None:
        """The event of a message; as text or as bytes, it is JSON."""
        told = object_of(message)
        if told.get("type") == "Error" and (about := self.complains(told)) is not None:
            log.warning("deepgram_listen_error", **about)
        return decode(told)


def decode(message: dict[str, Any]) -> ListenEvent | None:
    """The event of a message; None for those that say nothing about the caller."""
    match message:
        case {"type": "Results", "channel": {"alternatives": [{**best}, *_]}}:
            start = _number(message.get("start"))
            return Transcript(
                text=str(best.get("transcript") or ""),
                is_final=bool(message.get("is_final")),
                speech_final=bool(message.get("speech_final")),
                from_finalize=bool(message.get("from_finalize")),
                start=start,
                end=start + _number(message.get("duration")),
                confidence=_number(best.get("confidence")),
                last_word=_last_word(best.get("words")),
                language=_language(best),
            )
        case {"type": "SpeechStarted"}:
            return SpeechStarted(_number(message.get("timestamp")))
        case {"type": "UtteranceEnd"}:
            return UtteranceEnd(_known(message.get("last_word_end")))
    return None


def _language(best: Mapping[Any, Any]) -> str:
    """The language of most words; where words do not say it, the first that is told of all."""
    words = best.get("words")
    told = [word.get("language") for word in words] if _are_words(words) else []
    counted = Counter(main_tag(tag) for tag in told if isinstance(tag, str) and tag)
    of_words = max(counted, key=counted.__getitem__, default="")
    return of_words or first_language(best.get("languages"))


def _are_words(words: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(words, list) and all(isinstance(word, dict) for word in words)


def first_language(told: Any) -> str:
    """The main tag of the first of the languages that were told, which most words are in."""
    match told:
        case [str(first), *_]:
            return main_tag(first)
    return ""


def _last_word(words: Any) -> tuple[float, float] | None:
    match words:
        case [*_, {"start": start, "end": end}]:
            first, last = _known(start), _known(end)
            return None if first is None or last is None else (first, last)
    return None


def _known(value: Any) -> float | None:
    """A time; None for what is none. Deepgram writes -1 for one that it does not know."""
    number = finite(value)
    return number if number is not None and number >= 0 else None


def _number(value: Any) -> float:
    """A time or a share; 0.0 for what is none."""
    return finite(value) or 0.0
