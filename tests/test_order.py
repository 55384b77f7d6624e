"""Long modules of tests do not come last."""

from pathlib import Path

from tests.order import LONGEST, arranged

ROOT = Path(__file__).parent.parent


def test_the_longest_come_first_beside_those_with_most_tests() -> None:
    long, more = LONGEST[1], LONGEST[3]
    few, many = "tests/few.py::test_", "tests/many.py::TestIt::test_"
    ids = [f"{few}1", f"{many}1", f"{many}2", f"{more}::test_1", f"{long}::test_2", f"{long}::a"]
    assert arranged(ids, by=str) == [
        f"{long}::test_2",
        f"{long}::a",
        f"{many}1",
        f"{many}2",
        f"{more}::test_1",
        f"{few}1",
    ]


def test_every_module_that_is_named_is_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
