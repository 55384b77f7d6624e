"""Which branches of the floors that decide the pure tests take, measured while one runs.

    MEASURED=build/measured pytest       each process leaves its data in this folder
    python -m tests.measured FOLDER      what they take together; 1 if that is less than LEAST
    python -m tests.measured FOLDER -v   and each branch that none of them takes

Measuring makes a test half as long again, so it stops between those that are measured: a run of all
tests pays for these alone. Modules are mostly imported before, so lines are not told, branches are.

Contract: `measuring()` is None where `MEASURED` is not set. One measuring a process. Errors:
`coverage.CoverageException` where a folder has no data.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from coverage import Coverage

LEAST: Final = 95.0
"""Percent of the branches."""
ROOT: Final = Path(__file__).parents[1]
_CONFIG: Final = ROOT / "pyproject.toml"


class Measuring:
    """See the module. `folder`: where `save` leaves what was taken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._coverage: Coverage | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure what is done within."""
        if self._coverage is None:
            # Of the process that runs the tests: it may have been forked.
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._folder / f"branches.{os.getpid()}"
            self._coverage = Coverage(data_file=file, config_file=_CONFIG)
        self._coverage.start()
        try:
            yield
        finally:
            self._coverage.stop()

    def save(self) -> None:
        """Leave what was taken, if anything was measured."""
        if self._coverage is not None:
            self._coverage.save()


def measuring() -> Measuring | None:
    """See the module."""
    folder = os.environ.get("MEASURED")
    return Measuring(ROOT / folder) if folder else None


def taken(folder: Path) -> dict[str, Any]:
    """What all processes have taken together, as coverage's JSON has it."""
    with tempfile.TemporaryDirectory() as place:
        together = Coverage(data_file=Path(place) / "all", config_file=_CONFIG)
        together.combine([str(one) for one in folder.glob("branches.*")], keep=True)
        told = Path(place) / "told"
        together.json_report(outfile=str(told))
        result: dict[str, Any] = json.loads(told.read_text())
        return result


def told(of: dict[str, Any], *, verbose: bool, say: Callable[[str], None] = print) -> bool:
    """Say how many branches were taken; whether these are enough."""
    for file, one in of["files"].items() if verbose else ():
        left = ", ".join(
            f"{line}->{to if to > 0 else 'exit'}" for line, to in one["missing_branches"]
        )
        if left:
            say(f"{file}: {left}")
    totals = of["totals"]
    percent = 100 * totals["covered_branches"] / totals["num_branches"]
    say(
        f"branches: {totals['covered_branches']} of {totals['num_branches']}, {percent:.1f} %; "
        f"{LEAST:.0f} % are the least"
    )
    return bool(percent >= LEAST)


if __name__ == "__main__":
    sys.exit(not told(taken(Path(sys.argv[1])), verbose="-v" in sys.argv))
