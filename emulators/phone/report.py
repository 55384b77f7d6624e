"""What a call was like: events in, turns, latencies and gaps out. Pure.

All times are milliseconds of call time, from the first stream's `start`. A response time runs
from the caller's last sound (the frame that holds it was sent) to the first frame of agent
audio received; it is negative if the agent began before the caller was done.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

UTTERANCE_GAP_MS: Final = 300.0
"""After so much quiet, what the agent says next is another utterance."""

MIN_GAP_MS: Final = 20.0
"""A shorter hole in the agent's audio is below one frame and not counted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that just happened: for a live display. `str()` is a line for people."""

    at_ms: float
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.at_ms / 1000:8.2f} s  {self.kind:<7} {self.text}"


@dataclass(slots=True)
class Turn:
    """One thing the caller said or keyed, and the agent's answer to it."""

    label: str
    said: str
    start_ms: float
    end_ms: float | None = None
    first_audio_ms: float | None = None
    response_ms: float | None = None
    barge_in: bool = False
    clear_after_ms: float | None = None
    heard: str = ""


@dataclass(slots=True)
class Heard:
    """A stretch of the agent's speech as the caller heard it; text only in text mode."""

    at_ms: float
    until_ms: float
    text: str = ""
    cut: bool = False


@dataclass(slots=True)
class Gap:
    """The agent's audio ran dry for `ms` and then went on, nobody having interrupted."""

    at_ms: float
    ms: float


@dataclass(slots=True)
class Stream:
    """One media websocket of the call, and how it ended."""

    stream_sid: str
    url: str
    opened_ms: float
    closed_ms: float | None = None
    close_code: int | None = None
    close_reason: str = ""
    error: str = ""


@dataclass(slots=True)
class Report:
    """A finished call. `ok` only if the script ran to its end and everything expected held."""

    script: str
    call_sid: str
    ok: bool = False
    failure: str = ""
    duration_ms: float = 0.0
    greeting_ms: float | None = None
    turns: list[Turn] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    agent_errors: list[str] = field(default_factory=list)
    clears: int = 0
    marks_set: int = 0
    marks_returned: int = 0
    frames_sent: int = 0
    media_received: int = 0
    recording: str = ""
    dialled: list[tuple[str, str]] = field(default_factory=list)

    @property
    def heard_text(self) -> str:
        """All that the caller heard, one line an utterance (text mode)."""
        return "\n".join(heard.text for heard in self.heard if heard.text)

    @property
    def response_times_ms(self) -> list[float]:
        """The response times of all answered turns, in the order of the call."""
        return [turn.response_ms for turn in self.turns if turn.response_ms is not None]

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it, with the figures that follow from it."""
        times = self.response_times_ms
        summary = {
            "response_p50_ms": percentile(times, 50),
            "response_p95_ms": percentile(times, 95),
            "response_max_ms": max(times, default=None),
            "gap_total_ms": sum(gap.ms for gap in self.gaps),
        }
        return _rounded(asdict(self) | summary)  # type: ignore[no-any-return]

    def lines(self) -> list[str]:
        """The report for people."""
        out = [f"call {self.call_sid}, script {self.script}, {self.duration_ms / 1000:.1f} s"]
        if self.greeting_ms is not None:
            out.append(f"  greeting after {self.greeting_ms:.0f} ms")
        out += [_turn_line(number, turn) for number, turn in enumerate(self.turns, 1)]
        if times := self.response_times_ms:
            median = percentile(times, 50)
            out.append(f"  response times: median {median:.0f} ms, longest {max(times):.0f} ms")
        if self.gaps:
            worst = max(self.gaps, key=lambda gap: gap.ms)
            out.append(
                f"  gaps in the agent's audio: {len(self.gaps)}, the longest {worst.ms:.0f} ms "
                f"at {worst.at_ms / 1000:.2f} s"
            )
        out += [f"  agent error: {error}" for error in self.agent_errors]
        if self.recording:
            out.append(f"  recorded to {self.recording}")
        out.append("  ok" if self.ok else f"  FAILED: {self.failure}")
        return out


def _turn_line(number: int, turn: Turn) -> str:
    answer = "no answer" if turn.response_ms is None else f"answered in {turn.response_ms:.0f} ms"
    if turn.barge_in:
        late = turn.clear_after_ms
        answer += "; interrupted, " + ("no clear" if late is None else f"clear in {late:.0f} ms")
    return f"  {number}. {turn.said or turn.label}: {answer}"


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value below which `percent` of them lie, by nearest rank; None of nothing."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)] if ordered else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


class CallLog:
    """Writes the report while the call goes on."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._turn: Turn | None = None
        self._answer_open = False
        self._dry_from_ms: float | None = None
        self._last_sound_ms: float | None = None

    def caller_starts(self, now_ms: float, label: str, said: str, agent_audible: bool) -> None:
        """The first sound of an utterance was sent; over the agent's voice it is a barge-in."""
        self._turn = Turn(label, said, now_ms, barge_in=agent_audible)
        self.report.turns.append(self._turn)
        self._answer_open = not agent_audible
        self._dry_from_ms = None
        if not agent_audible:
            self._last_sound_ms = None

    def caller_ends(self, now_ms: float) -> None:
        """The last sound of the utterance was sent."""
        if (turn := self._turn) is not None:
            turn.end_ms = now_ms
            if turn.first_audio_ms is not None:
                turn.response_ms = turn.first_audio_ms - now_ms
        self._dry_from_ms = None

    def audio_arrives(self, now_ms: float, buffer_empty: bool) -> bool:
        """Agent audio with sound in it was received; True if it begins the answer to a turn.

        After a barge-in the old answer may still be on its way: only what follows `clear`, or
        comes after the caller's end into an empty buffer, is the new one.
        """
        turn = self._turn
        if turn is None:
            first = self.report.greeting_ms is None
            self.report.greeting_ms = now_ms if first else self.report.greeting_ms
            return first
        if turn.first_audio_ms is not None:
            return False
        if not (self._answer_open or (turn.end_ms is not None and buffer_empty)):
            return False
        turn.first_audio_ms = now_ms
        if turn.end_ms is not None:
            turn.response_ms = now_ms - turn.end_ms
        return True

    def cleared(self, now_ms: float, dropped: bool) -> None:
        """The agent sent `clear`; `dropped` says whether something was still to be played."""
        self.report.clears += 1
        self._dry_from_ms = self._last_sound_ms = None
        if dropped and self.report.heard:
            self.report.heard[-1].cut = True
        turn = self._turn
        if turn is None:
            return
        self._answer_open = True
        if turn.end_ms is None:
            turn.first_audio_ms = None
        if turn.barge_in and turn.clear_after_ms is None:
            turn.clear_after_ms = now_ms - turn.start_ms
            turn.first_audio_ms = turn.response_ms = None
            turn.heard = ""

    def played(self, start_ms: float, end_ms: float, sounding: bool, text: str = "") -> None:
        """A piece of agent audio was heard without a hole in it."""
        dry_from = self._dry_from_ms
        if dry_from is not None and start_ms - dry_from >= MIN_GAP_MS:
            self.report.gaps.append(Gap(dry_from, start_ms - dry_from))
        self._dry_from_ms = end_ms
        if sounding:
            last = self._last_sound_ms
            if last is None or start_ms - last >= UTTERANCE_GAP_MS:
                self.report.heard.append(Heard(start_ms, end_ms))
            self.report.heard[-1].until_ms = self._last_sound_ms = end_ms
        if text:
            self.report.heard[-1].text += text
            if self._turn is not None:
                self._turn.heard += text

    def stream_gone(self) -> None:
        """The stream ended: a hole up to the next one is not the agent's."""
        self._dry_from_ms = self._last_sound_ms = None
