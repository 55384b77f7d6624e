"""What a recogniser that misbehaves says, message by message."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.deepgram.distortion import Distortion
from aybiza.emulators.deepgram.faults import KINDS, Fault, Faults, never
from tests.emulators.deepgram.machines import case

STALE = "utterance_end_stale"


def messages_of(name: str) -> list[dict[str, Any]]:
    """The messages of a case, with what the case leaves out."""
    return [
        {"speech_final": False, "from_finalize": False, **message}
        for _, message in case(name)["messages"]
    ]


def test_without_a_fault_everything_passes_as_it_is() -> None:
    distortion = Distortion(never)
    for name in ("interim_only", "utterance_end_stale", "utterance_end_unknown"):
        for message in messages_of(name):
            assert distortion.through(0.0, message) == [message]
    assert distortion.due is None


def test_a_case_can_be_made_from_what_a_good_recogniser_says() -> None:
    wanted = messages_of(STALE)
    good = [message for message in wanted if message["type"] != "UtteranceEnd"]
    faults = Faults()
    faults.add(Fault("listen", "stale_utterance_end"))
    distortion = Distortion(faults.strike("listen", ""))
    made = [told for message in good for told in distortion.through(0.0, message)]
    ends = [m["last_word_end"] for m in made if m["type"] == "UtteranceEnd"]
    stale = next(m for m in wanted if m["type"] == "UtteranceEnd")
    assert ends == [stale["last_word_end"]]
    assert [m["type"] for m in made] == [m["type"] for m in wanted]


KIND_NAMES = [
    name for name, kind in KINDS.items() if kind.group == "said" and "listen" in kind.doors
]


@given(
    st.lists(st.sampled_from(KIND_NAMES), max_size=4),
    st.lists(st.tuples(st.sampled_from(["interim", "final", "end", "finalize"]),
                       st.sampled_from(["", "one", "two three"])), max_size=12),
)  # fmt: skip
def test_no_fault_invents_words(kinds: list[str], said: list[tuple[str, str]]) -> None:
    faults = Faults()
    faults.add(*[Fault("listen", kind, times=None) for kind in kinds])
    distortion = Distortion(faults.strike("listen", ""))
    given_words: set[str] = set()
    told: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(said):
        given_words |= set(text.split())
        told += distortion.through(float(number), _message(kind, text, number))
        told += distortion.wake(number + 0.9)
    told += distortion.wake(1000.0)
    for message in told:
        if message["type"] == "Results":
            words = message["channel"]["alternatives"][0]["transcript"].split()
            assert set(words) <= given_words


def _message(kind: str, text: str, at: int) -> dict[str, Any]:
    if kind == "end":
        return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": float(at)}
    words = [
        {"word": word, "start": float(at), "end": at + 0.5, "confidence": 0.9}
        for word in text.split()
    ]
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": float(at),
        "duration": 1.0,
        "is_final": kind != "interim",
        "speech_final": kind != "interim",
        "from_finalize": kind == "finalize",
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
    }
