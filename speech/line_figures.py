"""What is measured on a line whose calls are analysed: talk, arrivals, response times.

    figures.told()     a JSON-able dict of numbers, for the journal

Contract: no I/O, no clock; costs a frame of the caller's some 0.3 µs. Errors: none; of more than
`MOST_RESPONSES` answers the later ones are not told one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.speech.arrivals import Arrivals
from aybiza.speech.talk import Talk

MOST_RESPONSES: Final = 1_000


@dataclass(slots=True)
class LineFigures:
    """See the module. `responses`: seconds from the end of the caller's voice to the answer."""

    talk: Talk = field(default_factory=Talk)
    arrivals: Arrivals = field(default_factory=Arrivals)
    responses: list[float] = field(default_factory=list)

    def responded(self, seconds: float) -> None:
        """An answer is to be heard."""
        if len(self.responses) < MOST_RESPONSES:
            self.responses.append(round(seconds, 3))

    def told(self) -> dict[str, Any]:
        """See the module."""
        arrivals = self.arrivals
        return {
            **self.talk.told()._asdict(),
            "frames": arrivals.frames,
            "jitter_ms": round(arrivals.jitter_ms, 2),
            "lost": round(arrivals.lost, 5),
            "responses": list(self.responses),
        }
