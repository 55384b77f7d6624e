"""The caller: hears what is played, follows the script, speaks frame by frame. Pure.

`receive` takes the agent's messages as they come, `tick` is asked every 20 ms of call time for
what to send. Call times are milliseconds, handed in, never backwards. Who carries the messages
is not known here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from aybiza.emulators import textaudio
from aybiza.emulators.phone.audio import (
    FRAME_BYTES,
    FRAME_MS,
    QUIET_CODES,
    SILENCE,
    SILENCE_CODES,
    Utterance,
    payload_of,
    timeline,
)
from aybiza.emulators.phone.line import SAMPLES_PER_MS, Ear, PlaybackBuffer
from aybiza.emulators.phone.messages import AgentMessage, Audio, Clear, MarkSet
from aybiza.emulators.phone.player import FINISHED, Failure, Finished, Player, ScriptPlayer
from aybiza.emulators.phone.report import UTTERANCE_GAP_MS, CallLog, Progress, Report
from aybiza.emulators.phone.script import Script, Step
from aybiza.speech.mulaw import Pcm

KEY_FRAMES: Final = 8
"""Frames from one key to the next: 160 ms."""

AUDIBLE_MS: Final = 500.0
"""Audio waits to be played and the last sound is not older: the agent is speaking."""

SURE_LETTERS: Final = 12
"""So many letters in audio are no chance."""

SPEAKS_TEXTS: Final = (
    "the agent speaks in texts, as a node of `aybiza run --emulated=scripted` does, and the caller"
    " in sounds: call with --mode text"
)

_SILENCE: Final = bytes(SILENCE_CODES)

SILENT_PAYLOAD: Final = payload_of(SILENCE)


@dataclass(slots=True)
class Tick:
    """What goes to the agent now, in this order: marks, a key, one frame, the end.

    `end` is "drop" for a broken stream, "stop" or "close" for a hang-up with and without the
    `stop` message.
    """

    payload: str
    marks: list[str] = field(default_factory=list)
    key: str | None = None
    end: Literal["drop", "stop", "close"] | None = None


class Caller:
    """One caller on one call. `outcome` is None until the script ended or failed.

    `on_progress` is called with every `Progress`; `record` keeps both tracks for `tracks`.
    `player` decides in place of the script's steps.
    """

    def __init__(
        self,
        script: Script,
        report: Report,
        on_progress: Callable[[Progress], None] | None = None,
        record: bool = False,
        player: Player | None = None,
    ) -> None:
        self.outcome: Failure | Finished | None = None
        self.report = report
        self._log = CallLog(report)
        self._on_progress = on_progress
        self._player: Player = player or ScriptPlayer(script)
        self._limit_ms = script.limit_s * 1000
        self._buffer = PlaybackBuffer()
        self._text_mode = script.mode == "text"
        self._ear = Ear(SILENCE_CODES if self._text_mode else QUIET_CODES)
        self._decoder = textaudio.TextAudioDecoder()
        self._letters = self._sounds = 0
        self._step: Step | None = None
        self._utterance: Utterance | None = None
        self._position = 0
        self._keys = ""
        self._key_wait = 0
        self._frame = 0
        self._told = 0
        self._record = record
        self._said: list[tuple[int, bytes]] = []
        self._heard: list[tuple[int, bytes]] = []

    def receive(self, now_ms: float, message: AgentMessage) -> list[str]:
        """Take a message of the agent; returns the marks to send back at once."""
        match message:
            case Audio(mulaw):
                self._audio_arrives(now_ms, mulaw)
            case MarkSet(name):
                self.report.marks_set += 1
                self._buffer.mark(now_ms, name)
            case Clear():
                self._play(now_ms)
                self._log.cleared(now_ms, self._buffer.unplayed_bytes > 0)
                self._buffer.clear(now_ms)
                self._tell_heard(now_ms, quiet_ms=0.0)
                self.tell(now_ms, "clear", "the agent stops talking")
                self._ear.forget()
        return self._play(now_ms)

    def tick(self, now_ms: float) -> Tick:
        """Go on by one frame. When it returns an `end` other than "drop", the call is over."""
        out = Tick(SILENT_PAYLOAD, self._play(now_ms))
        self._tell_heard(now_ms, UTTERANCE_GAP_MS)
        if now_ms > self._limit_ms:
            self.outcome = Failure(f"the call was longer than {self._limit_ms / 1000:g} s")
            out.end = "stop"
        elif not self._text_mode and self._hears_texts():
            self.outcome = Failure(SPEAKS_TEXTS)
            out.end = "stop"
        elif self._utterance is None and not self._keys:
            self._decide(now_ms, out)
        if self._keys:
            out.key = self._press(now_ms)
        if self._utterance is not None:
            out.payload = self._speak(now_ms, self._utterance)
        self._frame += 1
        self.report.duration_ms = now_ms
        return out

    def idle_until_ms(self, now_ms: float) -> float:
        """Until when there is nothing to send but silence, as long as the agent sends nothing."""
        if self._utterance is not None or self._keys or self.outcome is not None:
            return now_ms
        moment = min(self._limit_ms, self._player.soonest_ms(now_ms, self._ear))
        mark = self._buffer.mark_ms
        return moment if mark is None else min(moment, mark)

    def pass_over(self, frames: int) -> None:
        """So many frames of silence go out, before the time that `idle_until_ms` tells."""
        self._frame += frames

    def _hears_texts(self) -> bool:
        """Whether what is played are letters for a test's recogniser, and no speech."""
        of_letters = self._letters * textaudio.BYTES_PER_CHAR
        return self._letters >= SURE_LETTERS and of_letters > self._sounds / 2

    def stream_gone(self, now_ms: float) -> None:
        """The stream ended: what waited to be played is lost."""
        self._play(now_ms)
        self._buffer.drop()
        self._log.stream_gone()
        self._tell_heard(now_ms, quiet_ms=0.0)

    def call_ended(self, how: str, clean: bool) -> None:
        """The agent's side ended the call; `how` is for people, `clean` is on purpose."""
        if self.outcome is None:
            self.outcome = self._player.call_ended(self._ear, how, clean)

    def tell(self, now_ms: float, kind: str, text: str) -> None:
        """Report progress."""
        if self._on_progress is not None:
            self._on_progress(Progress(now_ms, kind, text))

    def tracks(self) -> list[Pcm]:
        """What the caller said and what the caller heard, on one timeline, if recorded."""
        return [timeline(self._said), timeline(self._heard)]

    def _decide(self, now_ms: float, out: Tick) -> None:
        decision = self._player.decide(now_ms, self._ear)
        if decision is None:
            return
        if not isinstance(decision, Step):
            self.outcome = decision
            out.end = "stop"
            return
        self._step = decision
        match decision.act:
            case "speak":
                self._utterance = decision.utterance
                self._position = 0
            case "press":
                self._keys = decision.keys
                self._key_wait = 0
            case "drop":
                out.end = "drop"
                self.tell(now_ms, "line", "the stream is cut")
                self._ear.forget()
            case "hangup":
                out.end = "stop" if decision.with_stop else "close"
                self.outcome = FINISHED
            case "listen" | "wait_close":
                self._ear.forget()

    def _speak(self, now_ms: float, utterance: Utterance) -> str:
        at = self._position
        if at == utterance.first:
            self._begins(now_ms, self._step.text if self._step else "")
        if at == utterance.last:
            self._ends(now_ms)
        if self._record:
            self._said.append((self._frame * FRAME_BYTES, utterance.frames[at]))
        self._position += 1
        if self._position == len(utterance.frames):
            self._utterance = None
            self._player.done(now_ms + FRAME_MS)
        return utterance.payloads[at]

    def _press(self, now_ms: float) -> str | None:
        if self._key_wait > 0:
            self._key_wait -= 1
            return None
        if self._key_wait == 0 and self._step is not None and self._keys == self._step.keys:
            self._begins(now_ms, f"keys {self._keys}")
        key, self._keys = self._keys[0], self._keys[1:]
        self._key_wait = KEY_FRAMES - 1
        if not self._keys:
            self._ends(now_ms)
            self._player.done(now_ms)
        return key

    def _begins(self, now_ms: float, words: str) -> None:
        label = self._step.label if self._step else ""
        quiet_ms = self._ear.quiet_ms(now_ms)
        speaking = quiet_ms is not None and quiet_ms < AUDIBLE_MS
        audible = speaking and self._buffer.unplayed_bytes > 0
        self._tell_heard(now_ms, UTTERANCE_GAP_MS if audible else 0.0)
        self._log.caller_starts(now_ms, label, words, audible)
        over = " (over the agent's voice)" if audible else ""
        self.tell(now_ms, "caller", f"{words or label}{over}")

    def _ends(self, now_ms: float) -> None:
        self._log.caller_ends(now_ms)
        self._ear.forget()

    def _audio_arrives(self, now_ms: float, mulaw: bytes) -> None:
        self.report.media_received += 1
        empty = self._buffer.unplayed_bytes == 0
        self._buffer.write(now_ms, mulaw)
        if self._ear.hears(mulaw) and self._log.audio_arrives(now_ms, empty):
            turn = self.report.turns[-1] if self.report.turns else None
            after = turn.response_ms if turn else now_ms
            words = "begins to answer" if turn else "begins to speak"
            self.tell(now_ms, "agent", f"{words}" + (f" after {after:.0f} ms" if after else ""))

    def _play(self, now_ms: float) -> list[str]:
        """Hear what was played up to now; returns the marks that came back."""
        played = self._buffer.advance(now_ms)
        if not played:
            return []
        for start, audio in played.segments:
            if self._record:
                self._heard.append((start, audio))
            self._ear.listen(start, audio)
            text = self._decoder.feed(audio)
            if not self._text_mode:
                self._letters += len(text)
                self._sounds += len(audio.translate(None, _SILENCE))
                text = ""
            if text:
                self._ear.read(text)
            end = start + len(audio)
            self._log.played(
                start / SAMPLES_PER_MS, end / SAMPLES_PER_MS, self._ear.hears(audio), text
            )
        self.report.marks_returned += len(played.marks)
        return played.marks

    def _tell_heard(self, now_ms: float, quiet_ms: float) -> None:
        """Tell of each stretch of the agent's speech once it is over."""
        heard = self.report.heard
        while self._told < len(heard):
            said = heard[self._told]
            last = self._told == len(heard) - 1
            if last and now_ms - said.until_ms < quiet_ms:
                return
            words = said.text.strip() or f"({(said.until_ms - said.at_ms) / 1000:.1f} s of speech)"
            self.tell(now_ms, "agent", words + (" — cut off" if said.cut else ""))
            self._told += 1
