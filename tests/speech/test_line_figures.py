"""What is measured on a line is a dict of numbers."""

import json

from aybiza.speech.line import Line
from aybiza.speech.line_figures import MOST_RESPONSES, LineFigures
from aybiza.speech.playout import Sentence


class Sink:
    """Takes what goes to the caller."""

    def media(self, mulaw: bytes) -> None:
        """Nothing."""

    def mark(self, name: str) -> None:
        """Nothing."""

    def clear(self) -> None:
        """Nothing."""


def test_a_line_measures_its_frames_and_what_the_agent_is_heard_of() -> None:
    now = [10.0]
    line = Line("CA1", Sink(), clock=lambda: now[0])
    line.hear(bytes(160), 0)
    line.figures = LineFigures()
    for n in range(3):
        now[0] = 10.0 + n * 0.02
        line.hear(bytes(160), 20 * n)
    line.play(Sentence(1, 1), bytes(8000), 10.0)
    line.play(Sentence(1, 1), bytes(8000), 10.0)
    line.clear(11.5)
    line.figures.responded(0.8123)
    told = line.figures.told()
    assert (told["agent_s"], told["frames"], told["responses"]) == (1.5, 2, [0.812])
    assert json.loads(json.dumps(told)) == told


def test_what_is_kept_of_responses_is_bounded() -> None:
    figures = LineFigures()
    for _ in range(MOST_RESPONSES + 5):
        figures.responded(1.0)
    assert len(figures.told()["responses"]) == MOST_RESPONSES
