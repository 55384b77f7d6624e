"""Which tests are measured: those of the floors that decide, by examples, in no real time.

    is_pure("tests/claude/test_models.py::test_1", searches=False, real_time=False, calls=False)

A search by hypothesis takes three times as long when it is measured, a whole call passes through
all the other floors, and tests in real time spend theirs in waiting; the examples of the same
floors come to the branches without them.
"""

from typing import Final

PURE: Final = ("config", "claude", "speech", "dialogue")
"""The floors that decide, with thin clients at their edges."""


WHOLE_CALLS: Final = {"in_world": "aybiza.faults.world", "tried": "aybiza.faults.trial"}
"""A module that imports one of these from there makes whole calls."""


def makes_calls(module: object) -> bool:
    """Whether the tests of this module make whole calls."""
    return any(
        getattr(getattr(module, name, None), "__module__", "") == home
        for name, home in WHOLE_CALLS.items()
    )


def is_pure(nodeid: str, *, searches: bool, real_time: bool, calls: bool) -> bool:
    """Whether a test, by its id, is one of these.

    `searches`: hypothesis makes its examples. `real_time`: it has real sockets or processes.
    `calls`: its module makes whole calls.
    """
    first, _, rest = nodeid.partition("/")
    folder, below, _ = rest.partition("/")
    pure = first == "tests" and bool(below) and folder in PURE
    return pure and not (searches or real_time or calls)
