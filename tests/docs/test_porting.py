"""What the porter's page names is there: every function, every test, every recording."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.cases import each

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", PAGE)
PACKAGES = "actors|claude|config|console|dialogue|gateway|speech|supervisors"
OURS = sorted({name for name in QUOTED if re.fullmatch(rf"aybiza\.(?:{PACKAGES})(?:\.\w+)+", name)})
FILES = sorted({name for name in QUOTED if re.fullmatch(r"(?:tests|config)/[\w/]+\.\w+", name)})
RECORDINGS = sorted({name for name in QUOTED if re.fullmatch(r"\w+\.json", name)})
TESTS = sorted({name for name in QUOTED if re.fullmatch(r"test_\w+", name)})


@cache
def known_tests() -> set[str]:
    """The names of all tests."""
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.M)
    }


FUNCTIONS = [
    (guide, name)
    for guide, modules in tomllib.loads(
        Path(__file__).with_name("specification_functions.toml").read_text(encoding="utf-8")
    ).items()
    for functions in modules.values()
    for names in functions.values()
    for name in names
]


def rows(page: str = PAGE) -> Iterator[list[str]]:
    """The cells of every row of a table but its head."""
    lines = page.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not set(line) <= set("|- ") and not after.startswith("|-"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_page_names_something_of_each_kind() -> None:
    assert min(len(OURS), len(FILES), len(RECORDINGS), len(TESTS)) > 15


@each(OURS)
def test_what_is_named_exists(name: str) -> None:
    parts = name.split(".")
    for at in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:at]))
        except ModuleNotFoundError:
            continue
        for part in parts[at:]:
            found = getattr(found, part)
        return
    raise AssertionError(f"there is no {name}")


@each(FILES)
def test_a_file_that_is_named_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@each(RECORDINGS)
def test_a_recording_that_is_named_exists(name: str) -> None:
    assert (ROOT / "tests" / "golden" / name).is_file()


@each(TESTS)
def test_a_test_that_is_named_exists(name: str) -> None:
    assert name in known_tests()


@cache
def ported(guide: str) -> dict[str, str]:
    """What stands in the second cell of the row of each function of a guide, by its name."""
    part = re.split(r"^## ", PAGE, flags=re.M)
    (text,) = (each for each in part if each.startswith(f"{guide}\n"))
    return {
        name: cells[1]
        for cells in rows(text)
        for code in re.findall(r"`([^`]+)`", cells[0])
        for name in re.findall(r"(?<![\w:@])[a-z]\w*[?!]?", code)
    }


def test_all_functions_of_the_specification_are_known() -> None:
    assert len(FUNCTIONS) == len(set(FUNCTIONS)) == 137


@each(FUNCTIONS)
def test_every_function_of_the_specification_has_its_row(guide: str, name: str) -> None:
    assert ported(guide).get(name)


NAMES = tomllib.loads(
    Path(__file__).with_name("specification_names.toml").read_text(encoding="utf-8")
)


@each([*NAMES["modules"], *NAMES["settings"]])
def test_a_module_or_setting_of_the_specification_is_found_by_its_whole_name(name: str) -> None:
    assert re.search(rf"`{re.escape(name)}`", PAGE)


def test_every_defect_has_its_row() -> None:
    page = "".join(f"{cells[0]} " for cells in rows())
    for letter, last in (("A", 6), ("C", 11), ("D", 15), ("E", 49)):
        missing = [n for n in range(1, last + 1) if f"{letter}{n} " not in page]
        assert missing == []


def test_every_recorded_function_has_its_row() -> None:
    recorded = {path.name for path in (ROOT / "tests" / "golden").glob("fn_*.json")}
    assert recorded - set(RECORDINGS) == set()


def test_every_row_of_a_table_has_all_its_cells() -> None:
    assert {len(cells) for cells in rows()} == {4, 5}
