"""`python -m tests.conformance DIR…`: run every recorded file of those folders.

Prints a line a file (`supervisor_random.json 120/120`) and, for each case that differs, its
first difference. Exit codes: 0 all hold, 1 something differs, 2 nothing to run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog

from tests.conformance.kit import NotThere, Options, Result, Runner

RUNNERS = (
    "functions",
    "circuit_breakers",
    "registries",
    "registries_more",
    "ets_tables",
    "gen_servers",
    "supervisors",
    "processes",
    "timers",
    "agents",
    "state_machines",
    "tasks",
)

EXAMPLE = """\
example:
  python -m tests.conformance tests/golden
  python -m tests.conformance tests/golden --pure --all

exit codes: 0 all cases hold, 1 one differs, 2 no folder holds a file that is known
"""


def formats() -> dict[str, Runner]:
    """All formats that a runner knows."""
    known: dict[str, Runner] = {}
    for name in RUNNERS:
        module = f"tests.conformance.{name}"
        try:
            known.update(importlib.import_module(module).FORMATS)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    return known


def read(path: Path) -> dict[str, Any]:
    """The file's object, empty when it is not one. Raises `ValueError` for what is not JSON."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {}


def files_in(folders: Sequence[Path]) -> list[Path]:
    """The JSON files to look at, in order of their names; a file stands for itself."""
    found: list[Path] = []
    for folder in folders:
        found += sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
    return found


def tell(path: Path, results: Iterable[Result], *, every: bool) -> tuple[int, int]:
    """Print the line of a file and its differences; how many cases it has, how many hold."""
    count = 0
    failed: list[Result] = []
    try:
        for result in results:
            count += 1
            if result.differences:
                failed.append(result)
    except NotThere as missing:
        print(f"{path.name} 0/{missing.count}\n  {missing}")
        return missing.count, 0
    except Exception as error:
        count += 1
        failed.append(Result(f"case {count}", [f"the runner fails: {error!r}"]))
    print(f"{path.name} {count - len(failed)}/{count}", flush=True)
    for result in failed:
        shown = result.differences if every else result.differences[:1]
        print(f"  {result.name}")
        for difference in shown:
            print("    " + difference.replace("\n", "\n    "))
        left = len(result.differences) - len(shown)
        if left:
            print(f"    … {left} more (--all shows them)")
    return count, count - len(failed)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run recorded behaviour against this project and show where it differs.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dirs", metavar="DIR", nargs="+", type=Path, help="a folder, or a file")
    parser.add_argument("--all", action="store_true", help="show every difference of a case")
    parser.add_argument(
        "--pure", action="store_true", help="run the decision modules alone, without processes"
    )
    chosen = parser.parse_args(arguments)
    missing = [str(path) for path in chosen.dirs if not path.exists()]
    if missing:
        print(f"no such folder: {', '.join(missing)}", file=sys.stderr)
        return 2

    known = formats()
    options = Options(pure=chosen.pure)
    began = time.perf_counter()
    files = cases = hold = 0
    for path in files_in(chosen.dirs):
        try:
            file = read(path)
        except (OSError, ValueError) as error:
            print(f"{path.name} cannot be read: {error}")
            cases += 1
            continue
        runner = known.get(str(file.get("format")))
        if runner is not None:
            files += 1
            count, held = tell(path, runner(file, options), every=chosen.all)
            cases += count
            hold += held
    if not files:
        print("no file of a known format; known are " + ", ".join(sorted(known)), file=sys.stderr)
        return 2
    took = time.perf_counter() - began
    print(f"{hold} of {cases} cases hold, in {took:.1f} s", file=sys.stderr)
    return 0 if hold == cases else 1


if __name__ == "__main__":
    # Crashes are what the scenarios are made of.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main())
