"""A Flux listen socket (listen v2): the caller's audio in, turns out.

    session = await deepgram.turns(ListenOptions(model="flux-general-en"), call_id, timeout=5.0)
    await session.send_audio(mulaw)
    async for event in session: ...

The recogniser itself tells where turns begin and end. A `TurnInfo` has the whole turn so far; its
`event` is StartOfTurn, Update, EagerEndOfTurn (the turn may be over), TurnResumed (it was not) or
EndOfTurn. Times are seconds of the audio that was sent on this socket.

There is no message that keeps a silent socket alive, and none that asks for what there is but
`ForceEndTurn`: `keep_alive` sends silence, `finalize` ends the turn.

Errors: see `aybiza.speech.deepgram_socket`.
Source: Deepgram, listen v2 (Flux), turn events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog

from aybiza.config.languages import main_tag
from aybiza.config.numbers import finite
from aybiza.speech.deepgram_listen import MULTI, ListenOptions, first_language
from aybiza.speech.deepgram_socket import DeepgramSocket, object_of
from aybiza.speech.mulaw import silence

KEEP_ALIVE_SECONDS = 0.08
# As early as Deepgram tells: what is begun too early costs a request, and nobody hears of it.
EAGER_THRESHOLD = "0.3"
# A pause that ends a turn however unsure Flux is; its own 5 s are a long silence on the telephone.
END_TIMEOUT_MS = 3000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """See the module. `end`: up to where the audio has been heard; `last_word_end`: where the last
    word ended, if that is known; `turn`: its number on this socket, if that is known; `language`:
    the main tag of the one that most of it is in, "" if that is not told."""

    event: str
    text: str
    end: float
    last_word_end: float | None = None
    turn: int | None = None
    language: str = ""


def parameters(options: ListenOptions) -> dict[str, Any]:
    """The arguments of the SDK's `connect`."""
    chosen: dict[str, Any] = {
        "model": options.model,
        "encoding": "mulaw",
        "sample_rate": "8000",
        "eot_timeout_ms": str(END_TIMEOUT_MS),
    }
    if options.eager:
        chosen["eager_eot_threshold"] = EAGER_THRESHOLD
    if options.keyterms:
        chosen["keyterm"] = list(options.keyterms)
    if options.model.endswith("-multi"):
        expected = options.hints if options.language == MULTI else [options.language]
        if expected:
            chosen["language_hint"] = [main_tag(language) for language in expected]
    if options.private:
        chosen["mip_opt_out"] = "true"
    return chosen


class FluxSession(DeepgramSocket):
    """See the module."""

    @classmethod
    async def open(
        cls, client: Any, options: ListenOptions, call_id: str, timeout: float
    ) -> FluxSession:
        """Connect through the SDK's `client`, within `timeout` seconds."""
        opening = client.listen.v2.connect(
            **parameters(options),
            request_options={"additional_headers": {"x-deepgram-session-id": quote(call_id)}},
        )
        return await cls.opened(opening, timeout)

    async def send_audio(self, mulaw: bytes) -> None:
        """Send audio; never an empty piece."""
        if mulaw:
            await self.send(self._socket.send_media(mulaw))

    async def keep_alive(self) -> None:
        """Tell that the silence is meant."""
        await self.send_audio(silence(KEEP_ALIVE_SECONDS))

    async def finalize(self) -> None:
        """End the turn with what there is."""
        await self.send(self._socket.send_force_end_turn())

    def read(self, message: bytes | str) -> TurnInfo | None:
        """The event of a message; as text or as bytes, it is JSON."""
        told = object_of(message)
        if told.get("type") == "Error" and (about := self.complains(told)) is not None:
            log.warning("deepgram_listen_error", **about)
        return decode(told)


def decode(message: dict[str, Any]) -> TurnInfo | None:
    """The event of a message; None for those that say nothing about the caller."""
    match message:
        case {"type": "TurnInfo", "event": str(event)}:
            words = message.get("words")
            last = words[-1] if isinstance(words, list) and words else {}
            end = last.get("end") if isinstance(last, dict) else None
            heard = _time(message.get("audio_window_end"))
            number = message.get("turn_index")
            return TurnInfo(
                event,
                str(message.get("transcript") or ""),
                heard or 0.0,
                _time(end),
                number if isinstance(number, int) else None,
                first_language(message.get("languages")),
            )
    return None


def _time(value: Any) -> float | None:
    number = finite(value)
    return number if number is not None and number >= 0 else None
