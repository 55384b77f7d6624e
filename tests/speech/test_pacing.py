"""The pace of what goes out: in order, ahead of the ear, and marked."""

from __future__ import annotations

from collections import deque

import pytest

from aybiza.speech.line import Line
from aybiza.speech.pacing import LEAD_SECONDS, PIECE_BYTES, Kind, Pacer
from aybiza.speech.playout import Sentence
from aybiza.speech.synthesis import Go, Text


class Sink:
    def __init__(self) -> None:
        self.out: list[int | str] = []

    def media(self, mulaw: bytes) -> None:
        self.out.append(len(mulaw))

    def mark(self, name: str) -> None:
        self.out.append(name)

    def clear(self) -> None:
        """Nothing is asked here."""


def go(seconds: float, *seqs: int, complete: bool = True) -> Go:
    texts = [Text(Sentence(1, seq), "words", "words") for seq in seqs]
    return Go(texts, 0.0, audio=deque([bytes(round(seconds * 8000))]), complete=complete)


def test_audio_goes_out_up_to_the_lead_and_the_rest_when_it_is_time() -> None:
    sink = Sink()
    pacer, goes = Pacer(Line("CA1", sink)), deque([go(5.0, 1, 2)])
    now, waits = 0.0, 0
    while (later := pacer.pace(goes, now)) is not None:
        assert 0.0 < later < LEAD_SECONDS
        now += later
        waits += 1
    assert waits >= 3 and not goes
    assert sink.out[-2:] == ["0:1:1", "0:1:2"]
    sizes = [size for size in sink.out if isinstance(size, int)]
    assert sum(sizes) == 40_000 and max(sizes) == PIECE_BYTES


def test_a_go_that_is_not_complete_holds_up_what_is_behind_it() -> None:
    sink = Sink()
    goes = deque([go(0.1, 1, complete=False), go(0.1, 2)])
    assert Pacer(Line("CA1", sink)).pace(goes, 0.0) is None
    assert sink.out == [800] and len(goes) == 2


def test_a_sentence_is_marked_behind_its_last_part() -> None:
    sink = Sink()
    first, last = go(0.1, 1), go(0.1, 1)
    first.texts[0].then = last.texts[0]
    assert Pacer(Line("CA1", sink)).pace(deque([first, last]), 0.0) is None
    assert sink.out == [800, 800, "0:1:1"]


def test_the_response_is_measured_once_at_the_first_audio_of_an_answer() -> None:
    line = Line("CA1", Sink())
    pacer = Pacer(line)
    line.finished_at, line.known_at = 1.0, 1.5
    pacer.pace(deque([go(1.0, 1)]), 1.75)
    assert pacer.answered is not None
    assert pacer.answered[0] == Sentence(1, 1)
    assert list(pacer.answered[1:]) == pytest.approx([0.75, 0.25])
    assert line.finished_at is None


@pytest.mark.parametrize(
    ("kinds", "measured"),
    [(["answer"], 1.0), (["bridge", "answer"], 1.2), (["instead", "answer"], None)],
)
def test_the_response_is_measured_to_the_answer_itself(
    kinds: list[Kind], measured: float | None
) -> None:
    line = Line("CA1", Sink())
    line.finished_at = 0.0
    of_kind = {Sentence(1, seq): kind for seq, kind in enumerate(kinds, 1)}
    pacer = Pacer(line, lambda sentence, _: of_kind[sentence])
    for seq in range(1, len(kinds) + 1):
        pacer.pace(deque([go(0.1, seq)]), 1.0 + 0.2 * (seq - 1))
    seconds = pacer.answered[1] if pacer.answered else None
    assert seconds == pytest.approx(measured)
