"""What can go wrong on Twilio's side of a stream: one table, and marks that misbehave. Pure.

Contract: `KINDS` is the table. `Marks.through` is given the marks that come back and gives those
that are sent now; what is late comes from a later `through`. `deaf_s` says for how long nothing is
read from now on.
Errors: `ValueError` for a fault that there cannot be, with the nearest names.
Source: Twilio, Media Streams ("mark"); reports of lost and late marks.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. `parameters` are those beside kind and times."""

    parameters: tuple[str, ...]
    meaning: str


KINDS: Final[Mapping[str, Kind]] = {
    "mark_late": Kind(("mark", "seconds"), "a mark comes back so much later"),
    "mark_lost": Kind(("mark",), "a mark does not come back"),
    "mark_double": Kind(("mark",), "a mark comes back twice"),
    "deaf": Kind(("after", "seconds"), "after so long nothing is read for seconds"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """See the table. `mark`: a glob over names; seconds are of call time; `times` None: always."""

    kind: str
    mark: str = "*"
    seconds: float = 1.0
    after: float = 0.0
    times: int | None = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(_not_among("kind", self.kind, KINDS))
        if not (0 <= self.seconds <= 3600 and 0 <= self.after <= 3600):
            raise ValueError("seconds and after are numbers from 0 to 3600")
        if self.times is not None and self.times < 1:
            raise ValueError("times is a whole number from 1, or null for always")

    @classmethod
    def from_json(cls, members: object) -> Fault:
        """The fault that a JSON object describes. Parameters that its kind has not are refused."""
        if not isinstance(members, Mapping):
            raise ValueError(f"a fault is a JSON object, not {members!r:.80}")
        probe = cls(str(members.get("kind", "")))
        allowed = ["kind", *KINDS[probe.kind].parameters, "times"]
        for member in members:
            if member not in allowed:
                raise ValueError(_not_among(f"the parameter of {probe.kind}", member, allowed))
        for name in ("seconds", "after", "times"):
            value = members.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                raise ValueError(f"{name} cannot be {value!r:.80}")
        if not isinstance(members.get("mark", "*"), str):
            raise ValueError(f"mark cannot be {members['mark']!r:.80}")
        return cls(**{f.name: members[f.name] for f in fields(cls) if f.name in members})


class LineFaults:
    """The faults of one call, and the marks that are late."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._left = [[fault, fault.times] for fault in faults]
        self._later: list[tuple[float, int, str]] = []
        self._number = 0

    def marks(self, now_ms: float, names: Iterable[str]) -> list[str]:
        """The marks that are sent now, of those that come back now and of those that were late."""
        out: list[str] = []
        while self._later and self._later[0][0] <= now_ms:
            out.append(heapq.heappop(self._later)[2])
        for name in names:
            if self._strike("mark_lost", name):
                continue
            late = self._strike("mark_late", name)
            if late is not None:
                self._number += 1
                due = now_ms + late.seconds * 1000
                heapq.heappush(self._later, (due, self._number, name))
                continue
            out += [name] * (2 if self._strike("mark_double", name) else 1)
        return out

    def deaf_s(self, now_ms: float) -> float:
        """For how many seconds of call time nothing is read from now on; mostly 0."""
        for entry in self._left:
            fault = entry[0]
            assert isinstance(fault, Fault)
            if fault.kind == "deaf" and now_ms >= fault.after * 1000:
                self._use(entry)
                return fault.seconds
        return 0.0

    def _strike(self, kind: str, mark: str) -> Fault | None:
        for entry in self._left:
            fault = entry[0]
            assert isinstance(fault, Fault)
            if fault.kind == kind and fnmatchcase(mark, fault.mark):
                self._use(entry)
                return fault
        return None

    def _use(self, entry: list[Fault | int | None]) -> None:
        times = entry[1]
        if isinstance(times, int):
            entry[1] = times - 1
            if times == 1:
                self._left.remove(entry)


def _not_among(what: str, given: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = difflib.get_close_matches(given, names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{what} is one of {', '.join(names)}, not {given[:80]!r}{hint}"
