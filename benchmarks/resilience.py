"""What a caller hears of anybody's agent when a provider or the server itself fails: the judge.

A call of three questions is played to a server that speaks Twilio's Media Streams, once for each of
`PLANS`. Its providers are strict emulators on this machine; what a plan breaks is broken when the
second question is asked. `judged` reads from the telephone's report what the caller was owed and
what was heard. How the server is run and called is `aybiza.benchmarks.stranger`.

Errors: `ValueError` for a plan that there is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from aybiza.emulators.bedrock import Fault as ModelFault
from aybiza.emulators.bedrock import Reply, say
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.deepgram import Fault as SpeechFault
from aybiza.emulators.phone import Report

QUESTIONS: Final = ("Where can I park?", "Where can I eat?", "Where can I sleep?")
ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "park": (
        "The car park is behind the old station building.",
        "It opens at seven in the morning on every day.",
        "Two hours there are free for all of our guests.",
    ),
    "eat": (
        "The bakery at the market sells warm bread all day.",
        "Beside it a small kitchen cooks soup until the evening.",
        "On Fridays there is also fresh fish from the harbour.",
    ),
    "sleep": (
        "The inn at the river has eleven quiet rooms upstairs.",
        "Breakfast is served in the garden if the sun is out.",
        "Dogs are welcome when they sleep under the table.",
    ),
}
"""What the model says to each question, by a word of it. No sentence stands in two of them."""

ASKED_AFTER_MS: Final = (7000.0, 12000.0, 20000.0)
"""When each question is asked: after the beginning, or after the one before."""
LAST_MS: Final = 13000.0

COLUMNS: Final = (
    "plan",
    "answered turns",
    "lost sentences",
    "doubled sentences",
    "longest silence (s)",
    "connections listen/speak/model",
    "back after (s)",
)


@dataclass(frozen=True, slots=True)
class Breaks:
    """A plan: what is broken. `model` strikes the next requests, `open` the sockets that are open,
    `next` those to come and what is said on them; `kills` the server in mid-sentence."""

    name: str
    model: tuple[ModelFault, ...] = ()
    open: tuple[SpeechFault, ...] = ()
    next: tuple[SpeechFault, ...] = ()
    kills: bool = False


def _refuses(door: Literal["listen", "speak"]) -> Breaks:
    cut = SpeechFault(door, "abort")
    return Breaks(
        f"{door} refuses", open=(cut,), next=(SpeechFault(door, "refuse", code=503, times=2),)
    )


PLANS: Final = (
    Breaks("no fault"),
    _refuses("listen"),
    Breaks("listen closes", open=(SpeechFault("listen", "close"),)),
    Breaks("listen stalls", open=(SpeechFault("listen", "stall"),)),
    Breaks("model throttles", model=(ModelFault("http_error", times=2),)),
    Breaks("model fails", model=(ModelFault("http_error", code="InternalServerException"),)),
    Breaks("model stalls", model=(ModelFault("stall", after=3),)),
    Breaks("model cuts its answer", model=(ModelFault("rst", after=3),)),
    _refuses("speak"),
    Breaks("speak closes", open=(SpeechFault("speak", "close", after=2.0),)),
    Breaks("speak stalls", open=(SpeechFault("speak", "stall", after=2.0),)),
    Breaks("speak never flushes", next=(SpeechFault("speak", "no_flushed"),)),
    Breaks("server killed", kills=True),
)


def plans(names: str) -> Sequence[Breaks]:
    """Those of these names, with commas between; all for ""."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {plan.name: plan for plan in PLANS}
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no plan {name!r}; there are: {', '.join(known)}")
    return [known[name] for name in wanted] or PLANS


def respond(body: Body) -> Reply:
    """The model: the answer to the last question in what the caller said last."""
    said = [text_of(message) for message in body["messages"] if message["role"] == "user"]
    last = next((text for text in reversed(said) if text), "")
    word = max(ANSWERS, key=last.rfind)
    return say(" ".join(ANSWERS[word]) if word in last else "What do you mean?")


class Connections(NamedTuple):
    """Connections that were made to each provider during the call."""

    listen: int
    speak: int
    model: int


@dataclass(frozen=True)
class Row:
    """What came of a plan. Times are seconds; `back` is None if no answer came any more."""

    plan: str
    answered: int
    asked: int
    lost: int
    doubled: int
    silence: float
    connections: Connections
    back: float | None
    note: str = ""
    heard: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """As `COLUMNS` says."""
        return (
            self.plan,
            f"{self.answered}/{self.asked}",
            str(self.lost),
            str(self.doubled),
            f"{self.silence:.1f}",
            "/".join(map(str, self.connections)),
            "never" if self.back is None else f"{self.back:.1f}",
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**told, "connections": self.connections._asdict()}


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as a table of Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(row.cells() for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


class Piece(NamedTuple):
    """A sentence as it was heard, whole, by the clock of the call."""

    sentence: str
    at_ms: float
    until_ms: float


def pieces(report: Report) -> list[Piece]:
    """All sentences of the answers that were heard whole, in order of time. A stretch of speech is
    taken to have been said evenly."""
    times: list[tuple[float, float]] = []
    letters = ""
    for heard in report.heard:
        said = _letters(heard.text)
        step = (heard.until_ms - heard.at_ms) / max(1, len(said))
        times += [(heard.at_ms + i * step, heard.at_ms + (i + 1) * step) for i in range(len(said))]
        letters += said
    found = []
    for sentence in _sentences():
        wanted = _letters(sentence)
        at = letters.find(wanted)
        while at >= 0:
            found.append(Piece(sentence, times[at][0], times[at + len(wanted) - 1][1]))
            at = letters.find(wanted, at + 1)
    return sorted(found, key=lambda piece: piece.at_ms)


def judged(
    plan: Breaks, report: Report, connections: Connections, killed_ms: float | None = None
) -> Row:
    """What the caller was owed by `report`, and heard."""
    heard = pieces(report)
    times = dict.fromkeys(_sentences(), 0)
    for piece in heard:
        times[piece.sentence] += 1
    answered = [all(times[one] for one in sentences) for sentences in ANSWERS.values()]
    second = next((turn for turn in report.turns if turn.said == QUESTIONS[1]), None)
    since = killed_ms if killed_ms is not None else second.end_ms if second is not None else None
    later = [piece.at_ms for piece in heard if since is not None and piece.at_ms > since]
    back = (later[0] - since) / 1000 if later and since is not None else None
    return Row(
        plan.name,
        sum(answered),
        len(QUESTIONS),
        sum(not count for count in times.values()),
        sum(count > 1 for count in times.values()),
        round(longest_silence(report, heard) / 1000, 2),
        connections,
        None if back is None else round(back, 2),
        report.failure,
        report.heard_text.splitlines(),
    )


def longest_silence(report: Report, heard: Sequence[Piece]) -> float:
    """The longest time without a sound of the agent, in milliseconds, while an answer is owed: from
    the end of a question until all of its answer is heard, or the next question."""
    longest = 0.0
    starts = [turn.start_ms for turn in report.turns] + [report.duration_ms]
    for number, turn in enumerate(report.turns):
        if turn.end_ms is None:
            continue
        owed = next((said for word, said in ANSWERS.items() if word in turn.said), ())
        ends = [piece.until_ms for piece in heard if piece.sentence in owed]
        whole = {piece.sentence for piece in heard} >= set(owed)
        until = min(max(ends), starts[number + 1]) if whole and ends else starts[number + 1]
        at = turn.end_ms
        for sound in report.heard:
            if at < sound.at_ms < until:
                longest = max(longest, sound.at_ms - at)
            if sound.at_ms < until:
                at = max(at, sound.until_ms)
        longest = max(longest, until - at)
    return longest


def script() -> dict[str, Any]:
    """The caller's steps, for `aybiza.emulators.phone.script.parse`."""
    asked = zip(QUESTIONS, ASKED_AFTER_MS, strict=True)
    steps: list[dict[str, Any]] = [{"text": text, "after_ms": after} for text, after in asked]
    steps.append({"hangup": True, "after_ms": LAST_MS})
    return {"title": "Asks three times", "steps": steps, "limit_s": 90.0}


def answer_has_begun(report: Report) -> bool:
    """Whether the caller is hearing the second answer: half of its first sentence is out."""
    first = _letters(next(iter(ANSWERS["eat"])))
    return first[: len(first) // 2] in _letters(report.heard_text)


def _sentences() -> list[str]:
    return [sentence for sentences in ANSWERS.values() for sentence in sentences]


_LETTER = re.compile(r"[^\W_]")


def _letters(text: str) -> str:
    return "".join(_LETTER.findall(text)).casefold()
