"""A speak socket: sentences in, audio out.

    session = await deepgram.speak(SpeakOptions(model="aura-2-asteria-en"), call_id, timeout=5.0)
    await session.speak("Hello.")
    await session.flush()
    async for event in session: ...

Audio is mu-law, 8000 Hz. It carries no name of its text: order is the only link, and each `Flushed`
tells that everything up to one `flush` has come. After `clear`, audio that was under way may still
come before `Cleared`.

Errors: see `aybiza.speech.deepgram_socket`.
Source: Deepgram, speak v1 over websocket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from deepgram.speak.v1.types import SpeakV1Text

from aybiza.speech.deepgram_socket import DeepgramSocket, object_of

TEXT_CHARACTERS = 2000
_FLUSH = json.dumps({"type": "Flush"})
_CLEAR = json.dumps({"type": "Clear"})


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """The voice, one of Deepgram's models; `private`: Deepgram may keep nothing of it to better
    them."""

    model: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class Audio:
    """The next piece of audio."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Flushed:
    """All audio of the text before a flush has come."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """Nothing of the text before a clear will come any more."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class SpeakWarning:
    """Deepgram did not do something, and says why."""

    code: str
    description: str


SpeakEvent: TypeAlias = Audio | Flushed | Cleared | SpeakWarning


class SpeakSession(DeepgramSocket):
    """See the module."""

    @classmethod
    async def open(
        cls, client: Any, options: SpeakOptions, call_id: str, timeout: float
    ) -> SpeakSession:
        """Connect through the SDK's `client`, within `timeout` seconds."""
        opening = client.speak.v1.connect(
            model=options.model,
            encoding="mulaw",
            sample_rate="8000",
            **({"mip_opt_out": "true"} if options.private else {}),
            request_options={"additional_headers": {"x-deepgram-session-id": quote(call_id)}},
        )
        return await cls.opened(opening, timeout)

    async def speak(self, text: str) -> None:
        """Give text to be spoken; a long one goes in pieces of `TEXT_CHARACTERS` at most."""
        for piece in pieces(text):
            # A model of the SDK's costs the loop half a millisecond; here a caller waits for it.
            if not self.offer(json.dumps({"type": "Speak", "text": piece})):
                await self.send(self._socket.send_text(SpeakV1Text(type="Speak", text=piece)))

    async def flush(self) -> None:
        """Have all text so far spoken now; answered by `Flushed`."""
        if not self.offer(_FLUSH):
            await self.send(self._socket.send_flush())

    async def clear(self) -> None:
        """Drop what was not spoken yet; answered by `Cleared`."""
        if not self.offer(_CLEAR):
            await self.send(self._socket.send_clear())

    def read(self, message: bytes | str) -> SpeakEvent | None:
        """The event of a message. JSON may come as bytes, too; sound is no JSON object."""
        is_json = isinstance(message, str) or message.startswith(b"{")
        told = object_of(message) if is_json else {}
        if not told and isinstance(message, bytes):
            return Audio(message)
        event = decode(told)
        if not isinstance(event, SpeakWarning):
            return event
        about = self.complains(told)
        return None if about is None else decode({**about, "type": "Warning"})


def decode(message: dict[str, Any]) -> SpeakEvent | None:
    """The event of a text message; None for those without a meaning here."""
    sequence = message.get("sequence_id")
    number = sequence if isinstance(sequence, int) else 0
    match message.get("type"):
        case "Flushed":
            return Flushed(number)
        case "Cleared":
            return Cleared(number)
        case "Warning" | "Error":
            code, text = message.get("code"), message.get("description")
            return SpeakWarning(str(code or ""), str(text or ""))
    return None


def pieces(text: str) -> list[str]:
    """`text` cut between words so that no piece is over the limit; nothing for blank text.

    Deepgram joins the texts of a flush as they are sent, so a blank stands behind each piece, but
    for one whose cut is in a word that is too long.
    """
    most = TEXT_CHARACTERS - 1
    left, cut = text.strip(), []
    while len(left) > most:
        end = left.rfind(" ", 0, most + 1)
        cut.append(left[:end] + " " if end > 0 else left[:TEXT_CHARACTERS])
        left = left[len(cut[-1]) :].lstrip()
    return [*cut, left + " "] if left else cut
